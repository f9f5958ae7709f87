/* Files appear whole or not at all. */
#include "support/golden.h"
#include "support/sandbox.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/file_hash.h"
#include "output/key_file.h"
#include "output/output_file.h"

static void expect_content(const char *name, const char *text)
{
    char *found = sandbox_read(name, NULL);
    assert_string_equal(found, text);
    free(found);
}

static void writes_and_replaces(void **state)
{
    (void)state;
    sandbox_make();
    a1_error err = {0};
    assert_int_equal(a1_output_whole(sandbox_path("a/b/c.txt"), "one", 3, &err), ALLIN1_OK);
    expect_content("a/b/c.txt", "one");
    assert_int_equal(a1_output_whole(sandbox_path("a/b/c.txt"), "second", 6, &err), ALLIN1_OK);
    expect_content("a/b/c.txt", "second");
    expect_list("a/b", "c.txt");

    /* The permissions are those that the user's mask allows, as for any new file. */
    struct stat info;
    const mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(stat(sandbox_path("a/b/c.txt"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0666 & ~mask);
    sandbox_remove();
}

static void abort_leaves_the_old_file(void **state)
{
    (void)state;
    sandbox_make();
    a1_error err = {0};
    a1_output_file file;
    sandbox_write("x", "old", 3);
    assert_int_equal(a1_output_open(&file, sandbox_path("x"), &err), ALLIN1_OK);
    assert_int_equal(a1_output_write(&file, "new", 3, &err), ALLIN1_OK);
    expect_content("x", "old");
    a1_output_abort(&file);
    a1_output_abort(&file);
    expect_content("x", "old");
    expect_list(".", "x");
    sandbox_remove();
}

/* A limit on the size of files fails like a full disk does. */
static void full_disk(void **state)
{
    (void)state;
    sandbox_make();
    sandbox_write("x", "old", 3);
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 10000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    char *data = calloc(1, 20000);
    a1_error err = {0};
    const allin1_status status = a1_output_whole(sandbox_path("x"), data, 20000, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    free(data);
    assert_int_equal(status, ALLIN1_ERROR_IO);
    expect_text(err.message, sandbox_path("x"));
    expect_text(err.message, "cannot write");
    expect_content("x", "old");
    expect_list(".", "x");
    sandbox_remove();
}

static void impossible_places(void **state)
{
    (void)state;
    sandbox_make();
    a1_error err = {0};
    sandbox_write("file", "x", 1);
    sandbox_folder("folder");
    assert_int_equal(a1_output_whole(sandbox_path("file/x.json"), "y", 1, &err), ALLIN1_ERROR_IO);
    expect_text(err.message, "file");
    assert_int_equal(a1_output_whole(sandbox_path("folder"), "y", 1, &err), ALLIN1_ERROR_IO);
    expect_text(err.message, "folder");
    expect_list(".", "file folder");

    /* A name that the file system takes at its full length takes no temporary name beside it. */
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    assert_int_equal(a1_output_whole(sandbox_path("%s", name), "y", 1, &err), ALLIN1_OK);
    sandbox_remove();
}

static void digest_of_a_file(void **state)
{
    (void)state;
    sandbox_make();
    a1_error err = {0};
    char hex[A1_SHA256_HEX];
    sandbox_write("abc", "abc", 3);
    assert_int_equal(a1_file_sha256(sandbox_path("abc"), hex, &err), ALLIN1_OK);
    /* FIPS 180-2, appendix B.1 */
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(a1_file_sha256(sandbox_path("none"), hex, &err), ALLIN1_ERROR_IO);
    expect_text(err.message, "none: No such file");
    assert_int_equal(a1_file_sha256(sandbox_path("."), hex, &err), ALLIN1_ERROR_IO);
    expect_text(err.message, "is a folder");
    assert_int_equal(mkfifo(sandbox_path("pipe"), 0600), 0);
    assert_int_equal(a1_file_sha256(sandbox_path("pipe"), hex, &err), ALLIN1_ERROR_IO);
    expect_text(err.message, "not a regular file");
    sandbox_remove();
}

static void key_files(void **state)
{
    (void)state;
    sandbox_make();
    a1_error err = {0};
    char reason[256];
    const char *key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const char *other = "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const char *files[] = {sandbox_path("a.wav"), sandbox_path("b.wav")};
    const char *path = sandbox_path("key");
    sandbox_write("a.wav", "aaa", 3);
    sandbox_write("b.wav", "bbb", 3);
    assert_false(a1_key_file_fits(path, key, files, 2, reason));
    assert_string_equal(reason, "");
    assert_int_equal(a1_key_file_write(path, key, files, 2, &err), ALLIN1_OK);
    assert_true(a1_key_file_fits(path, key, files, 2, reason));
    assert_false(a1_key_file_fits(path, other, files, 2, reason));
    expect_text(reason, "other content");
    assert_false(a1_key_file_fits(path, key, files, 1, reason));
    sandbox_write("b.wav", "bbc", 3);
    assert_false(a1_key_file_fits(path, key, files, 2, reason));
    expect_text(reason, "changed");
    unlink(files[1]);
    assert_false(a1_key_file_fits(path, key, files, 2, reason));
    expect_text(reason, "b.wav");

    /* Cut at every length, and with a tail, it fits no more. */
    sandbox_write("b.wav", "bbb", 3);
    size_t size;
    char *whole = sandbox_read("key", &size);
    for (size_t cut = 0; cut < size; cut++) {
        sandbox_write("key", whole, cut);
        assert_false(a1_key_file_fits(path, key, files, 2, reason));
    }
    whole[size] = 'x';
    sandbox_write("key", whole, size + 1);
    assert_false(a1_key_file_fits(path, key, files, 2, reason));
    free(whole);
    sandbox_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(writes_and_replaces, sandbox_clean_up),
        cmocka_unit_test_teardown(abort_leaves_the_old_file, sandbox_clean_up),
        cmocka_unit_test_teardown(full_disk, sandbox_clean_up),
        cmocka_unit_test_teardown(impossible_places, sandbox_clean_up),
        cmocka_unit_test_teardown(digest_of_a_file, sandbox_clean_up),
        cmocka_unit_test_teardown(key_files, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
