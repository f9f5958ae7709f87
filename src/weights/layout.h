/* The names and shapes of every tensor of the two model families, as their PyTorch state_dicts have
 * them; and the rules that bring other sources into this form. */
#ifndef A1_WEIGHTS_LAYOUT_H
#define A1_WEIGHTS_LAYOUT_H

#include <stddef.h>

#include "base/error.h"
#include "tensor/tensor.h"

/* Receives one tensor's name (valid during the call) and shape; a failure ends the walk. */
typedef allin1_status (*a1_layout_fn)(void *user, const char *name, unsigned rank,
                                      const size_t *shape, a1_error *err);

/* The widths in which HTDemucs models differ. The real one: 48, 512, 2048, 512. */
typedef struct a1_htdemucs_widths {
    size_t channels;     /* of the first level; doubled at each of the four */
    size_t bottom;       /* of the transformer */
    size_t feed_forward; /* hidden width in the transformer's layers */
    size_t rows;         /* frequency rows after the first level */
} a1_htdemucs_widths;

/* Walks the 533 tensors in the order of the graph. */
allin1_status a1_layout_htdemucs(const a1_htdemucs_widths *widths, a1_layout_fn fn, void *user,
                                 a1_error *err);

/* Reads the widths off the shapes of a set in PyTorch's form. */
allin1_status a1_layout_htdemucs_widths(const a1_tensor_set *set, a1_htdemucs_widths *widths,
                                        a1_error *err);

/* Walks the 491 tensors of one fold in our form: as in PyTorch, but for the three convolutions,
 * which are (out, kernel time, kernel frequency, in) as in the published .npz files. */
allin1_status a1_layout_harmonix(a1_layout_fn fn, void *user, a1_error *err);

/* Moves the tensors of `from` that belong to the family ("harmonix" or "htdemucs") into the new set
 * *to under their canonical names, sharing the memory; *to takes `from` over (*from becomes NULL)
 * on success. Tensors that the model does not have are left out; missing ones and wrong shapes are
 * errors. `torch`: harmonix names may carry a common prefix such as "model.", and the
 * harmonix convolutions are in PyTorch's order, which is changed. Text values are kept. */
allin1_status a1_layout_adopt(const char *family, int torch, a1_tensor_set **from,
                              a1_tensor_set **to, a1_error *err);

/* For a1_tensor_set_own: destroys the tensor set `set` that another one borrows from. */
void a1_layout_release_set(void *set, size_t size);
/* For a1_tensor_set_own: frees memory of a1_aligned_alloc. */
void a1_layout_release_aligned(void *block, size_t size);

#endif
