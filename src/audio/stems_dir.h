/* Ready-made stems in a folder, instead of our own separation. */
#ifndef A1_AUDIO_STEMS_DIR_H
#define A1_AUDIO_STEMS_DIR_H

#include "audio/decode.h"

/* The order in which spectrogram and network take them. */
enum { A1_STEM_BASS, A1_STEM_DRUMS, A1_STEM_OTHER, A1_STEM_VOCALS, A1_STEM_COUNT };

/* The files of stems: those four, then guitar and piano. */
#define A1_STEM_FILES 6

/* Stems may differ in length by what an encoder adds at the end: 0.1 s. More is another song. */
#define A1_STEMS_LENGTH_SLACK (A1_SAMPLE_RATE / 10)

/* Finds, decodes and aligns the stems of the song `name` below the folder `dir`.
 *
 * `pattern` is a path below `dir` in which %n is the song's name, %s a stem's name, %e any
 * extension of an audio file and %% a percent sign; it must contain %s. NULL tries in this order
 *
 *     %n/%s.%e   %s.%e   %n.%s.%e   %n_%s.%e   %n-%s.%e   %n (%s).%e
 *
 * and takes the first for which bass, drums, other and vocals are all there. %s stands for bass,
 * drums, other, vocals, guitar and piano; it and %e match in any case, everything else exactly. %e
 * stands for wav, flac, aiff, aif, m4a, mp4, mp3, ogg, oga, opus, aac, wma, w64, caf, wv and mka.
 * Guitar and piano, which six-stem separators give, are optional and are added into other.
 *
 * Every stem is decoded by a1_audio_decode. Shorter ones are lengthened with zeros by up to
 * A1_STEMS_LENGTH_SLACK. A missing stem, two files for the same stem, and a larger difference in
 * length are errors that name the files: ALLIN1_ERROR_IO for files that are missing or unreadable,
 * ALLIN1_ERROR_ARGUMENT for a bad pattern, an empty name or a name with a slash, ALLIN1_ERROR_AUDIO
 * otherwise. `source` of a stem describes its own file (of other, not of guitar or piano).
 *
 * The stems are written on success and zeroed on failure; release each with a1_audio_free.
 * Thread-safe. */
allin1_status a1_stems_dir_load(const char *dir, const char *name, const char *pattern,
                                a1_audio stems[A1_STEM_COUNT], a1_error *err);

/* The two halves of it, for callers that want to know the files: paths in the order of
 * A1_STEM_FILES, NULL where guitar or piano is not there. The caller frees each path, also after a
 * failure. */
allin1_status a1_stems_dir_find(const char *dir, const char *name, const char *pattern,
                                char *paths[A1_STEM_FILES], a1_error *err);
allin1_status a1_stems_dir_decode(const char *const paths[A1_STEM_FILES],
                                  a1_audio stems[A1_STEM_COUNT], a1_error *err);

#endif
