/* The initialisers of an ONNX graph, and their way back to the names of PyTorch. */
#ifndef A1_WEIGHTS_ONNX_H
#define A1_WEIGHTS_ONNX_H

#include <stddef.h>

#include "base/error.h"
#include "tensor/tensor.h"

/* Adds every initialiser of the graph to the empty set `set` under its name in the file. Values are
 * copied; they must be in the file itself (raw_data or float_data), not in external files. float32,
 * float16, bfloat16, float64 and integers of 8 to 64 bits. `what` names the file in errors. After a
 * failure the set is good for nothing but to be destroyed. Format: onnx.proto, ModelProto. */
allin1_status a1_onnx_parse(const void *bytes, size_t size, const char *what, a1_tensor_set *set,
                            a1_error *err);

/* Turns the initialisers of an exported HTDemucs into the new set *torch with PyTorch's names,
 * shapes and values; shares the memory of tensors that need no change, and takes *onnx over (it
 * becomes NULL) on success. The order of the exporter's generated names and the shapes decide what
 * is what; see onnx_htdemucs.c. Every initialiser must find its place and every tensor its values.
 */
allin1_status a1_onnx_bind_htdemucs(a1_tensor_set **onnx, a1_tensor_set **torch, a1_error *err);

#endif
