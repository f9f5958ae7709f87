/* make_seeds FOLDER: something valid for every fuzzer to begin with, FOLDER/NAME/..., small enough
 * to be changed a thousand times a second. Reads tests/data of the current folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "support/full_result.h"
#include "support/small_program.h"
#include "support/tiny_model.h"
#include "support/weight_files.h"
#include "weights/mapped.h"

static const char *folder;

/* "<folder>/<fuzzer>/<name>", whose folder is made. */
static const char *seed_path(const char *fuzzer, const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, fuzzer);
    (void)mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", folder, fuzzer, name);
    return path;
}

/* What a fuzzer's first byte chooses, then the bytes, which are freed. */
static void keep(const char *fuzzer, const char *name, int first, test_bytes bytes)
{
    test_bytes all = {0};
    if (first >= 0)
        test_put_number(&all, 1, (uint64_t)first);
    if (bytes.size)
        test_put(&all, bytes.data, bytes.size);
    test_save(seed_path(fuzzer, name), &all);
    test_bytes_free(&all);
    test_bytes_free(&bytes);
}

static test_bytes text(const char *words)
{
    test_bytes bytes = {0};
    test_put_text(&bytes, words);
    return bytes;
}

static const float six[6] = {1, 2, 3, 4, 5, 6};

static test_bytes six_npy(void)
{
    return test_npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", six, sizeof six);
}

static void npz(void)
{
    keep("fuzz_npz", "array", 1, six_npy());
    keep("fuzz_npz", "columns_first", 1,
         test_npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", six, sizeof six));
    for (int deflate = 0; deflate < 2; deflate++) {
        test_member members[] = {{"a.npy", six_npy()}, {"b/c.npy", six_npy()}};
        keep("fuzz_npz", deflate ? "deflated" : "stored", 0, test_zip(members, 2, deflate));
    }
}

/* {"w": a transposed view of storage 0}, which has `numel` floats. */
static test_bytes one_view(size_t numel)
{
    const size_t shape[] = {2, 3}, strides[] = {1, 2};
    test_bytes pickle = text("\x80\x02}");
    test_pickle_text(&pickle, "w");
    test_pickle_tensor(&pickle, "FloatStorage", "0", numel, 0, 2, shape, strides);
    test_put_text(&pickle, "s.");
    return pickle;
}

/* The fuzzer gives a pickle alone storages of 64 bytes. */
static void torch(void)
{
    test_bytes pickle = one_view(6), storage = {0};
    test_put(&storage, six, sizeof six);
    keep("fuzz_torch", "archive", 0, test_torch(&pickle, &storage, 1));
    keep("fuzz_torch", "pickle", 1, one_view(16));
}

static void onnx(void)
{
    const size_t shape[] = {2, 3};
    test_bytes graph = {0};
    for (int as_float_data = 0; as_float_data < 2; as_float_data++) {
        test_bytes tensor = test_onnx_tensor(as_float_data ? "freq_emb.embedding.weight" : "w", 2,
                                             shape, six, as_float_data);
        test_onnx_add(&graph, &tensor);
    }
    keep("fuzz_onnx", "two_tensors", -1, test_onnx_model(&graph));
}

/* The fuzzer looks for "a/b" of five bytes. */
static void targz(void)
{
    for (int compressed = 0; compressed < 2; compressed++) {
        test_bytes tar = {0};
        test_tar_add(&tar, "pax_global_header", 'g', "52 comment=x\n", 13);
        test_tar_add(&tar, "a", '5', NULL, 0);
        test_tar_add(&tar, "a/b", '0', "hello", 5);
        keep("fuzz_targz", compressed ? "gzip" : "tar", compressed,
             compressed ? test_gzip_tar(&tar) : tar);
    }
}

/* A student of one block a tower, in float16, and in 8 bits with three views and a confidence. */
static void mapped(void)
{
    static const float shift[] = {0, 1, -1}, tempo[] = {1, 1.25F, 0.75F};
    const tiny_student_blocks blocks = {1, 1, 1, 1};
    const a1_tensor shifts = {
        .name = "shifts", .dtype = A1_F32, .rank = 1, .shape = {3}, .data = shift};
    const a1_tensor tempos = {
        .name = "tempos", .dtype = A1_F32, .rank = 1, .shape = {3}, .data = tempo};
    a1_tensor_set *student, *integers;
    a1_error err = {0};
    if (test_tiny_student(&blocks, &student, &err) != ALLIN1_OK ||
        a1_mapped_write(seed_path("fuzz_mapped", "student"), student, true, NULL, &err) !=
            ALLIN1_OK ||
        a1_tensor_set_create(&integers, &err) != ALLIN1_OK ||
        test_eight_bits(student, integers, NULL, &err) != ALLIN1_OK ||
        a1_tensor_set_add(integers, &shifts, &err) != ALLIN1_OK ||
        a1_tensor_set_add(integers, &tempos, &err) != ALLIN1_OK ||
        a1_tensor_set_put_text(integers, "family", "student", &err) != ALLIN1_OK ||
        a1_tensor_set_put_text(integers, "confidence", "constant=-1 beat=0.5", &err) != ALLIN1_OK ||
        a1_mapped_write(seed_path("fuzz_mapped", "eight_bits"), integers, true, NULL, &err) !=
            ALLIN1_OK)
        fail_msg("%s", err.message);
    a1_tensor_set_destroy(&integers);
    a1_tensor_set_destroy(&student);
}

static void annotations(void)
{
    keep("fuzz_annotation", "sections", 0, text("0.0 intro\n7.5 verse\n15.25 chorus\n30 end\n"));
    keep("fuzz_annotation", "intervals", 1, text("0.0\t7.5\tintro\n7.5\t15.25\tverse\n"));
    keep("fuzz_annotation", "beats", 2, text("0.5 1\n1.0 2\n1.5 3\n2.0 4\n2.5 1\n"));
    keep("fuzz_annotation", "jams", 3,
         text("{\"annotations\": [{\"namespace\": \"beat\", \"data\": [{\"time\": 0.5, "
              "\"duration\": 0,"
              " \"value\": 1, \"confidence\": null}]}, {\"namespace\": \"segment_open\", \"data\": "
              "[{\"time\": 0, \"duration\": 7.5, \"value\": \"verse\", \"confidence\": 1}]}],"
              " \"file_metadata\": {\"duration\": 7.5}}"));
}

static void results(void)
{
    char *document = allin1_result_json(&test_full_result, NULL);
    assert_non_null(document);
    keep("fuzz_result", "result", -1, text(document));
    allin1_string_free(document);
}

static void timings(void)
{
    test_bytes before = test_load("tests/data/timings_before.jsonl");
    test_bytes after = test_load("tests/data/timings_after.jsonl");
    test_put_number(&before, 1, 0);
    test_put(&before, after.data, after.size);
    test_put_number(&before, 1, 0);
    test_put_text(&before, "demix=2-3@cpu,structure=1");
    keep("fuzz_timings", "before_and_after", -1, before);
    test_bytes_free(&after);
}

static void sounds(void)
{
    static const test_encoding forms[] = {
        {.container = "wav", .encoder = "pcm_s16le"},  {.container = "flac", .encoder = "flac"},
        {.container = "mp3", .encoder = "libmp3lame"}, {.container = "ogg", .encoder = "libvorbis"},
        {.container = "ogg", .encoder = "libopus"},    {.container = "mp4", .encoder = "aac"},
        {.container = "aiff", .encoder = "pcm_s16be"}};
    /* Packets enough for two of a split decoder's segments. */
    static const test_encoding longer[] = {
        {.container = "mp3", .encoder = "libmp3lame", .bit_rate = 8000},
        {.container = "ogg", .encoder = "libvorbis", .bit_rate = 16000}};
    sandbox_make();
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (make_sound_as("sound", MUSIC, 0.1, 1, 48000, &forms[i]))
            keep("fuzz_decode", forms[i].encoder, -1, test_load(sandbox_path("sound")));
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++)
        if (make_sound_as("sound", MUSIC, 5, 1, 22050, &longer[i]))
            keep("fuzz_decode", longer[i].container, -1, test_load(sandbox_path("sound")));
    sandbox_remove();
}

/* A test, so that the helpers' failures are told. */
static void make_all(void **state)
{
    (void)state;
    npz();
    torch();
    onnx();
    targz();
    mapped();
    annotations();
    results();
    timings();
    sounds();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(make_all)};
    if (argc != 2) {
        fprintf(stderr, "Usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    (void)mkdir(folder, 0777);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
