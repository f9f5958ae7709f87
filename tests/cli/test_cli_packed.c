/* The separator's weights packed at `models fetch`, from there to the results. The small separator
 * stands in for HTDemucs: whoever reads a .a1w file trusts the digest that it records. */
#include "support/golden.h"
#include "support/small_program.h"
#include "support/tiny_model.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "demix/htdemucs.h"
#include "weights/mapped.h"
#include "weights/model_table.h"

#define RUN_SEPARATOR                                                                              \
    "-m", "models/tiny-harmonix.a1w", "--demix-model", "htdemucs", "--weights-dir", "place", "-k", \
        "--overwrite"

static char packed_name[64]; /* "place/htdemucs.mixed-1.packed" */
static const char *precision;

static int set_up(void **state)
{
    (void)state;
    a1_cpu cpu;
    a1_error err = {0};
    a1_tensor_set *set = NULL;
    small_sandbox();
    make_sound("a.wav", MUSIC, 2);
    make_sound("b.wav", NOISE, 1);
    sandbox_folder("place");
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, &err), ALLIN1_OK);
    const a1_demix_precision automatic = a1_demix_precision_auto(&cpu);
    precision = a1_demix_precision_string(automatic);
    snprintf(packed_name, sizeof packed_name, "place/htdemucs.%s.packed",
             a1_htdemucs_layout(automatic));
    assert_int_equal(test_tiny_htdemucs(&set, &err), ALLIN1_OK);
    const char *digest = a1_model_file_find("htdemucs")->digest;
    assert_int_equal(a1_tensor_set_put_text(set, "digest", digest, &err), ALLIN1_OK);
    if (a1_mapped_write(sandbox_path("place/htdemucs.a1w"), set, true, NULL, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    a1_tensor_set_destroy(&set);
    return 0;
}

static void need_packing(void)
{
    if (strcmp(precision, "fp32") == 0) {
        print_message("[ NOTE     ] skipped: auto is fp32 here, and nothing is packed\n");
        skip();
    }
}

static void fetch(const char *words)
{
    program_outcome said = RUN("models", "fetch", "--weights-dir", "place", "htdemucs");
    program_expect(&said, 0);
    expect_text(said.out, words);
    program_free(&said);
}

/* Runs the program, and fails unless the separator came from a file of this format with these stems. */
static void expect_stems(const char *format, const char *words, const char *const *wanted)
{
    program_outcome said = RUN(RUN_SEPARATOR, "a.wav", "b.wav");
    program_expect(&said, 0);
    if (words)
        expect_text(said.err, words);
    program_free(&said);
    const char *const names[] = {"demix/htdemucs/a/drums.wav", "demix/htdemucs/b/vocals.wav"};
    for (int i = 0; i < 2; i++) {
        size_t size;
        char *stem = sandbox_read(names[i], &size);
        assert_memory_equal(stem, wanted[i], size);
        free(stem);
        char *text = sandbox_read(i ? "struct/b.json" : "struct/a.json", NULL);
        json_t *result = json_loads(text, 0, NULL);
        const char *is = "", *digest = "";
        assert_int_equal(json_unpack(result, "{s:{s:{s:[{s:s,s:s}]}}}", "provenance", "stems", "files",
                                     "format", &is, "digest", &digest),
                         0);
        assert_string_equal(is, format);
        assert_string_equal(digest, a1_model_file_find("htdemucs")->digest);
        json_decref(result);
        free(text);
    }
}

static void read_stems(char *stems[2])
{
    stems[0] = sandbox_read("demix/htdemucs/a/drums.wav", NULL);
    stems[1] = sandbox_read("demix/htdemucs/b/vocals.wav", NULL);
}

static void packed_and_not(void **state)
{
    (void)state;
    need_packing();
    expect_run(RUN(RUN_SEPARATOR, "a.wav", "b.wav"), 0, NULL);
    char *stems[2];
    read_stems(stems);
    const char *const wanted[2] = {stems[0], stems[1]};
    expect_stems("a1w", NULL, wanted);
    fetch("now packed for");
    assert_true(sandbox_has(packed_name));
    fetch("; packed for");
    expect_stems("packed", NULL, wanted);
    /* Damaged: told, passed over, found by verify, and mended. */
    size_t size;
    char *bytes = sandbox_read(packed_name, &size);
    bytes[size / 2] ^= 1;
    sandbox_write(packed_name, bytes, size);
    free(bytes);
    expect_stems("a1w", "is damaged", wanted);
    program_outcome said = RUN("models", "verify", "--weights-dir", "place", "htdemucs");
    assert_int_equal(said.status, 3);
    expect_text(said.err, strchr(packed_name, '/') + 1);
    program_free(&said);
    fetch("now packed for");
    expect_stems("packed", NULL, wanted);
    free(stems[0]);
    free(stems[1]);
}

/* Panels of another program: whole, of this layout's name, and not what is wanted. */
static void other_panels(void **state)
{
    (void)state;
    need_packing();
    a1_error err = {0};
    a1_tensor_set *packed = NULL, *other = NULL;
    fetch("packed for");
    expect_run(RUN(RUN_SEPARATOR, "a.wav", "b.wav"), 0, NULL);
    char *stems[2];
    read_stems(stems);
    const char *const wanted[2] = {stems[0], stems[1]};
    assert_int_equal(a1_tensor_set_create(&packed, &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_create(&other, &err), ALLIN1_OK);
    assert_int_equal(a1_mapped_open(sandbox_path("%s", packed_name), NULL, packed, &err), ALLIN1_OK);
    for (size_t i = 0; i < a1_tensor_set_count(packed); i++) {
        a1_tensor tensor = *a1_tensor_set_at(packed, i);
        if (strcmp(tensor.name, "encoder.0.conv.weight@0.panels") == 0)
            tensor.shape[0] -= 32;
        assert_int_equal(a1_tensor_set_add(other, &tensor, &err), ALLIN1_OK);
    }
    assert_int_equal(a1_tensor_set_copy_texts(other, packed, &err), ALLIN1_OK);
    assert_int_equal(a1_mapped_write(sandbox_path("%s", packed_name), other, false, NULL, &err),
                     ALLIN1_OK);
    a1_tensor_set_destroy(&other);
    a1_tensor_set_destroy(&packed);
    expect_stems("a1w", "encoder.0.conv.weight", wanted);
    free(stems[0]);
    free(stems[1]);
}

/* After a fall-back to fp32 the result names the file that fp32 was made of. */
static void guard_tells_the_file(void **state)
{
    (void)state;
    need_packing();
    fetch("packed for");
    expect_run(RUN(RUN_SEPARATOR, "--precision-check", "--precision-check-mean", "0", "a.wav", "b.wav"),
               0, "fp32 is used from here on");
    for (int i = 0; i < 2; i++) {
        char *text = sandbox_read(i ? "struct/b.json" : "struct/a.json", NULL);
        json_t *result = json_loads(text, 0, NULL);
        const char *format = "", *path = "", *used = "";
        assert_int_equal(json_unpack(result, "{s:{s:{s:s,s:[{s:s,s:s}]}}}", "provenance", "stems",
                                     "precision", &used, "files", "format", &format, "path", &path),
                         0);
        assert_string_equal(used, "fp32");
        assert_string_equal(format, "a1w");
        expect_text(path, "htdemucs.a1w");
        json_decref(result);
        free(text);
    }
}

/* The model is there all the same. */
static void cannot_be_packed(void **state)
{
    (void)state;
    need_packing();
    sandbox_folder(packed_name);
    fetch("not packed: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(packed_and_not, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(other_panels, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(guard_tells_the_file, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(cannot_be_packed, set_up, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
