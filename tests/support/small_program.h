/* The program with the small models of random numbers, and sounds to feed it. */
#ifndef TEST_SUPPORT_SMALL_PROGRAM_H
#define TEST_SUPPORT_SMALL_PROGRAM_H

#include <allin1/allin1.h>

#include "support/encode.h"
#include "support/sandbox.h"

/* The options that select the small models; both .a1w files are in the sandbox. */
#define SMALL "-m", "models/tiny-harmonix.a1w", "--demix-model", "models/tiny-htdemucs.a1w"

/* A sandbox with the small models in models/. */
void small_sandbox(void);
/* The same as cmocka calls it; sandbox_clean_up ends it. */
int small_set_up(void **state);

typedef enum sound { SILENCE, CLICK, NOISE, MUSIC } sound;

/* Stereo, 16 bits, 44.1 kHz, in <sandbox>/<name>. MUSIC: pulses at 120 a minute over a chord. */
void make_sound(const char *name, sound kind, double seconds);

/* Any other form; false when FFmpeg has no such encoder here. */
bool make_sound_as(const char *name, sound kind, double seconds, int channels, int rate,
                   const test_encoding *how);

/* Reads a result in the sandbox and checks what must hold for every result: lists that fit together,
 * times in order and within the song, segments from 0 to the end without gaps. `seconds` is the song's
 * length, known to `tolerance`. The caller frees it. */
allin1_result *check_result(const char *name, double seconds, double tolerance);

/* The document without what may differ between runs that must agree otherwise: threads, and whether
 * by-products were used. The caller frees it. */
char *comparable_document(const char *name);

#endif
