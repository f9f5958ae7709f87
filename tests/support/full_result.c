#include "support/full_result.h"

static const double beats[] = {0.5, 1.0, 1.5}, downbeats[] = {0.5};
static const unsigned positions[] = {1, 2, 3};
static const double of_labels[10] = {0, 0.125, 0.5, 0, 0, 0, 0, 0.25, 0.125, 0};
static const allin1_segment segments[] = {{0, 1.25, "intro", 0.5, of_labels},
                                          {1.25, 2.0, "verse", 0.75, NULL}};
static const allin1_model_file file = {"m", "/p", "a1w", "d", "MIT"};
static const double curve[] = {120.25, 119.5, 120.125};
static const double confidences[] = {0.75, 1, 0.125};
static const allin1_tempo_alternative alternatives[] = {{240.08, 0.25, "double"},
                                                        {60.02, 0.125, "half"}};

const allin1_result test_full_result = {.path = "/music/\xc3\xa9 \"x\".mp3",
                                        .duration = 2.0,
                                        .bpm = 120,
                                        .tempo = 120.04,
                                        .tempo_confidence = 0.625,
                                        .tempo_alternative_count = 2,
                                        .tempo_alternatives = alternatives,
                                        .tempo_curve_count = 3,
                                        .tempo_curve_times = beats,
                                        .tempo_curve = curve,
                                        .beats_per_bar = 3,
                                        .beat_count = 3,
                                        .beats = beats,
                                        .beat_positions = positions,
                                        .beat_confidences = confidences,
                                        .downbeat_count = 1,
                                        .downbeats = downbeats,
                                        .downbeat_confidences = confidences + 1,
                                        .segment_count = 2,
                                        .segments = segments,
                                        .provenance = {.version = "9",
                                                       .key = "k",
                                                       .input_sha256 = "s",
                                                       .container = "",
                                                       .codec = "",
                                                       .channel_layout = "",
                                                       .stems_mode = "",
                                                       .demix_model = "htdemucs",
                                                       .demix_precision_requested = "auto",
                                                       .demix_precision = "fp32",
                                                       .demix_files = &file,
                                                       .demix_file_count = 1,
                                                       .model = "harmonix-all",
                                                       .model_files = &file,
                                                       .model_file_count = 1,
                                                       .precision = "fp32"}};
