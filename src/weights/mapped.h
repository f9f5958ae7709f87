/* Our own file format for tensors, extension .a1w: mapped into memory and used in place.
 *
 * All numbers are little-endian. Positions count bytes from the start of the file.
 *
 *   offset  bytes  content
 *        0      8  magic: 89 41 31 57 0D 0A 1A 0A ("\x89" "A1W" CR LF SUB LF: a transfer that
 *                  mistakes it for text damages it visibly)
 *        8      4  endianness mark 0x01020304
 *       12      4  version: 1
 *       16      8  size of the whole file
 *       24      4  alignment of tensors: 64
 *       28      4  chunk of the checksum: 4194304
 *       32      4  number of text values
 *       36      4  number of tensors
 *       40      8  size of the directory
 *       48     16  zero
 *       64     32  checksum
 *       96     32  zero
 *      128         directory: text values, then tensors, without gaps
 *                  padding of zeros to a multiple of 64
 *                  tensors, each at a multiple of 64, padding between them zero; the file ends with
 *                  the last tensor's last byte
 *
 * A text value: 4 bytes length of the key, 4 bytes length of the value, the key, a zero byte, the
 * value, a zero byte. UTF-8, no zero byte inside, keys not empty.
 *
 * A tensor: 4 bytes length of the name, 4 bytes element type (a1_dtype: 0 float32, 1 float16,
 * 2 bfloat16, 3 float64, 4 int8, 5 uint8, 6 int16, 7 int32, 8 int64), 4 bytes rank (at most 8),
 * 4 bytes zero, 8 bytes position, 8 bytes size, 8 bytes for each axis' length, the name, a zero
 * byte. Elements are in C order. Tensors stand in the order of the bytes of their names, in the
 * directory and in the data; names are unique.
 *
 * Checksum: the file, with the 32 bytes of the checksum taken as zeros, is cut into chunks of 4 MiB
 * (the last one shorter); the checksum is the SHA-256 of the chunks' SHA-256 digests one after the
 * other. So every byte is covered, and chunks are verified in parallel. It protects against damage,
 * not against forgery: who is in doubt compares a1_tensor_set_digest of the content.
 *
 * The same tensors and text values always give the same bytes.
 *
 * Text values that we write: "family" ("harmonix", "htdemucs", "student"), "name" (of the table),
 * "digest" (a1_tensor_set_digest of the tensors), "licence", "heads" (htdemucs: attention heads),
 * "best_threshold_downbeat" (harmonix, student), "transition_lambda" and "confidence" (student),
 * "packing" (htdemucs, packed: "digest" is then that of what was packed). */
#ifndef A1_WEIGHTS_MAPPED_H
#define A1_WEIGHTS_MAPPED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/threads.h"
#include "tensor/tensor.h"

/* Maps a .a1w file, verifies its checksum and everything in it, and adds its tensors and text
 * values to the empty set `set`, which owns the mapping from then on. `pool` may be NULL. After a
 * failure the set is good for nothing but to be destroyed. ALLIN1_ERROR_WEIGHTS_DAMAGED when the
 * checksum is wrong, ALLIN1_ERROR_FORMAT for what is no such file, ALLIN1_ERROR_UNSUPPORTED for a
 * later version. */
allin1_status a1_mapped_open(const char *path, a1_pool *pool, a1_tensor_set *set, a1_error *err);

/* The same from memory aligned to 64 bytes that outlives the set; `what` names it in errors.
 * `check_sum` false leaves out the checksum (for fuzzing, which would never get past it). */
allin1_status a1_mapped_parse(const void *bytes, size_t size, const char *what, bool check_sum,
                              a1_pool *pool, a1_tensor_set *set, a1_error *err);

/* The checksum of a file's bytes in hexadecimal. */
allin1_status a1_mapped_checksum(const void *bytes, size_t size, a1_pool *pool,
                                 unsigned char checksum[32], a1_error *err);

/* Writes `set` to `path` under a temporary name in the same folder and renames it when it is
 * complete and on disk, so that a file under its final name is always whole. With `half`, every
 * float32 tensor whose values all survive it is stored as float16. */
allin1_status a1_mapped_write(const char *path, const a1_tensor_set *set, bool half, a1_pool *pool,
                              a1_error *err);

#endif
