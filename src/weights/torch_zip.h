/* Weights saved by PyTorch: a zip archive of one pickle and the storages it refers to. */
#ifndef A1_WEIGHTS_TORCH_ZIP_H
#define A1_WEIGHTS_TORCH_ZIP_H

#include <stddef.h>

#include "base/error.h"
#include "tensor/tensor.h"

/* Finds the state_dict in a file written by torch.save (1.6 or later) and adds its tensors to the
 * empty set `set` under their names, dense and in C order; their values are copied. The state_dict
 * is the pickled dictionary itself or its entry "state_dict", "state" or "model" (searched in this
 * order); nested dictionaries of tensors join their keys with ".". Plain numbers and strings of an
 * entry "config" become the text values "config.KEY".
 *
 * Nothing is executed: the pickle is read by an interpreter that knows dictionaries, lists,
 * numbers, strings, storages and tensors, and takes everything else for an opaque value.
 *
 * `what` names the file in errors. After a failure the set is good for nothing but to be destroyed.
 * Format: torch.serialization; the opcodes are those of Python's pickle protocol 2 to 5. */
allin1_status a1_torch_parse(const void *bytes, size_t size, const char *what, a1_tensor_set *set,
                             a1_error *err);

#endif
