/* Taking one file out of a .tar.gz archive. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/sandbox.h"
#include "support/weight_files.h"
#include "weights/targz.h"

enum { SIZE = 700000 }; /* more than the reader's buffer, no multiple of 512 */

static unsigned char content[SIZE];

static void fill_content(void)
{
    uint64_t random = 3;
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (unsigned char)(int)(64 * test_random(&random) + 64);
}

static test_bytes archive(void)
{
    test_bytes tar = {0};
    test_tar_add(&tar, "pax_global_header", 'g', "52 comment=x\n", 13);
    test_tar_add(&tar, "package/readme", '0', "hello", 5);
    test_tar_add(&tar, "package/model.onnx", '5', NULL, 0); /* a folder of the same name */
    test_tar_add(&tar, "package/model.onnx", '2', NULL, 0); /* a symbolic link */
    test_tar_add(&tar, "package/model.onnx", '0', content, SIZE);
    test_tar_add(&tar, "package/after", '0', "after", 5);
    return test_gzip_tar(&tar);
}

static void test_extraction(void **state)
{
    (void)state;
    a1_error err = {0};
    sandbox_make();
    fill_content();
    test_bytes bytes = archive();
    if (a1_targz_extract(bytes.data, bytes.size, "a.tgz", "package/model.onnx", SIZE,
                         sandbox_path("out"), &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    test_bytes out = test_load(sandbox_path("out"));
    assert_int_equal(out.size, SIZE);
    assert_memory_equal(out.data, content, SIZE);
    test_bytes_free(&out);
    /* Never over something that is there. */
    assert_int_equal(a1_targz_extract(bytes.data, bytes.size, "a.tgz", "package/after", 5,
                                      sandbox_path("out"), &err),
                     ALLIN1_ERROR_IO);
    assert_int_equal(a1_targz_extract(bytes.data, bytes.size, "a.tgz", "package/after", 5,
                                      sandbox_path("after"), &err),
                     ALLIN1_OK);
    test_bytes_free(&bytes);
    sandbox_remove();
}

static void expect_refusal(const test_bytes *bytes, const char *member, uint64_t size,
                           const char *word)
{
    a1_error err = {0};
    assert_int_equal(a1_targz_extract(bytes->data, bytes->size, "a.tgz", member, size,
                                      sandbox_path("out"), &err),
                     ALLIN1_ERROR_FORMAT);
    if (!strstr(err.message, word) || !strstr(err.message, "a.tgz"))
        fail_msg("\"%s\" does not say \"%s\" and the archive", err.message, word);
    assert_false(sandbox_has("out"));
}

static void test_refusals(void **state)
{
    (void)state;
    sandbox_make();
    fill_content();
    test_bytes bytes = archive();
    expect_refusal(&bytes, "package/absent", 5, "holds no file");
    expect_refusal(&bytes, "package/readme", 6, "should have 6");
    expect_refusal(&bytes, "package/readme", 4, "should have 4");
    /* Cut anywhere, it gives nothing. */
    const size_t whole = bytes.size;
    for (size_t cut = 0; cut < whole / 2; cut += cut < 200 ? 1 : whole / 97) {
        bytes.size = cut;
        expect_refusal(&bytes, "package/model.onnx", SIZE, "ends too early");
    }
    bytes.size = whole;
    bytes.data[0] ^= 1;
    expect_refusal(&bytes, "package/readme", 5, "damaged");
    test_bytes_free(&bytes);
    /* A header whose checksum is wrong, and one with a size that is no number. */
    for (int how = 0; how < 2; how++) {
        test_bytes tar = {0};
        test_tar_add(&tar, "package/readme", '0', "hello", 5);
        tar.data[how ? 124 : 5] = how ? 'x' : 'y';
        test_bytes broken = test_gzip_tar(&tar);
        expect_refusal(&broken, "package/readme", 5, "malformed header");
        test_bytes_free(&broken);
    }
    /* Names that lead elsewhere are just other names. */
    test_bytes tar = {0};
    test_tar_add(&tar, "../../package/readme", '0', "hello", 5);
    test_bytes foreign = test_gzip_tar(&tar);
    expect_refusal(&foreign, "package/readme", 5, "holds no file");
    test_bytes_free(&foreign);
    sandbox_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extraction),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
