/* Formats in memory: the table, escapes, times. What the files hold is tested by reading them back
 * (tests/cli/test_cli_formats.c). */
#include "support/golden.h"
#include "support/sandbox.h"

#include <allin1/formats.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/format_text.h"

static void the_table(void **state)
{
    (void)state;
    size_t count;
    const allin1_format *formats = allin1_formats(&count);
    assert_ptr_equal(allin1_formats(NULL), formats);
    assert_true(count >= 13);
    assert_string_equal(formats[0].name, "json");
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(allin1_format_find(formats[i].name), &formats[i]);
        assert_true(formats[i].suffix[0] == '.' && *formats[i].description);
        /* A file that ends in .json in a folder of results is a result. */
        const size_t length = strlen(formats[i].suffix);
        assert_int_equal(length >= 5 && strcmp(formats[i].suffix + length - 5, ".json") == 0, i == 0);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(formats[i].suffix, formats[j].suffix);
            assert_string_not_equal(formats[i].name, formats[j].name);
        }
    }
    assert_null(allin1_format_find("JSON"));
    assert_null(allin1_format_find(""));
    assert_null(allin1_format_find(NULL));
}

static void expect_escaped(const char *words, a1_escape escape, const char *expected)
{
    a1_text text = {0};
    size_t size;
    a1_text_escaped(&text, words, escape);
    char *bytes = a1_text_take(&text, &size);
    assert_string_equal(bytes, expected);
    assert_int_equal(size, strlen(expected));
    free(bytes);
}

static void escapes(void **state)
{
    (void)state;
    expect_escaped("", A1_ESCAPE_LINE, "");
    expect_escaped("a\tb\nc\rd\x7f" "e\xc2\x85" "f\xe2\x80\xa8g", A1_ESCAPE_LINE, "a b c d e f g");
    /* Not UTF-8: a bare continuation, a cut character, a surrogate, an over-long form. */
    expect_escaped("\x80 \xc3", A1_ESCAPE_LINE, "\xef\xbf\xbd \xef\xbf\xbd");
    expect_escaped("\xed\xa0\x80", A1_ESCAPE_XML, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    expect_escaped("\xc0\xaf", A1_ESCAPE_CSV, "\xef\xbf\xbd\xef\xbf\xbd");
    expect_escaped("\xef\xbf\xbf", A1_ESCAPE_XML, "\xef\xbf\xbd");
    expect_escaped("a b\tc", A1_ESCAPE_WORD, "a_b_c");
    expect_escaped("", A1_ESCAPE_WORD, "_");
    expect_escaped("plain", A1_ESCAPE_CSV, "plain");
    expect_escaped("a,b", A1_ESCAPE_CSV, "\"a,b\"");
    expect_escaped("say \"x\"", A1_ESCAPE_CSV, "\"say \"\"x\"\"\"");
    expect_escaped(" x", A1_ESCAPE_CSV, "\" x\"");
    expect_escaped("<a & \"b\">", A1_ESCAPE_XML, "&lt;a &amp; &quot;b&quot;&gt;");
    expect_escaped("a --> b & \"c\"", A1_ESCAPE_WEBVTT, "a --&gt; b &amp; \"c\"");
    expect_escaped("a=b;c#d\\e", A1_ESCAPE_FFMETADATA, "a\\=b\\;c\\#d\\\\e");
}

static void expect_text_of(void (*put)(a1_text *text, double seconds), double seconds,
                           const char *expected)
{
    a1_text text = {0};
    size_t size;
    put(&text, seconds);
    char *bytes = a1_text_take(&text, &size);
    assert_string_equal(bytes, expected);
    free(bytes);
}

static void put_clock(a1_text *text, double seconds)
{
    a1_text_clock(text, seconds, 2);
}

static void put_number(a1_text *text, double seconds)
{
    a1_text_number(text, seconds, A1_TIME_DECIMALS);
}

static void times(void **state)
{
    (void)state;
    expect_text_of(put_clock, 0, "00:00:00.000");
    expect_text_of(put_clock, 59.9996, "00:01:00.000");
    expect_text_of(put_clock, 3599.9994, "00:59:59.999");
    expect_text_of(put_clock, 360000 + 61.5, "100:01:01.500");
    expect_text_of(put_number, 0.1 + 0.2, "0.3");
    expect_text_of(put_number, 12.3456785, "12.345678"); /* the double is below the half */
}

static void expect_title(const char *path, const char *expected)
{
    char *title = a1_title_of_path(path);
    assert_string_equal(title, expected);
    free(title);
}

static void titles_and_urls(void **state)
{
    (void)state;
    expect_title("/a/b.c/song.tar.wav", "song.tar");
    expect_title("song", "song");
    expect_title("/a/.hidden", ".hidden");
    expect_title("name.", "name.");
    expect_title("/a/", "/a/");
    expect_title("", "");
    a1_text text = {0};
    size_t size;
    a1_text_file_url(&text, "/a b/\xc3\xa9%#?.mp3");
    char *url = a1_text_take(&text, &size);
    assert_string_equal(url, "file://localhost/a%20b/%C3%A9%25%23%3F.mp3");
    free(url);
}

static void what_is_refused(void **state)
{
    (void)state;
    const allin1_result result = {.path = "x", .tempo = NAN};
    allin1_error error;
    char *content = (char *)&error;
    size_t size;
    assert_int_equal(allin1_result_format(&result, "nothing", &content, &size, &error),
                     ALLIN1_ERROR_ARGUMENT);
    assert_null(content);
    expect_text(error.message, "\"nothing\"");
    assert_int_equal(allin1_result_format(NULL, "lab", &content, NULL, NULL), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_result_format(&result, NULL, &content, NULL, NULL),
                     ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_save_format(NULL, &result, "nothing", "/tmp/x", &error),
                     ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_save_format(NULL, NULL, "lab", "/tmp/x", &error),
                     ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_result_format(&result, "lab", &content, NULL, &error), ALLIN1_OK);
    assert_string_equal(content, "");
    allin1_string_free(content);
}

/* A result that a program has put together: nothing but what the header asks for. */
static void a_bare_result(void **state)
{
    (void)state;
    const allin1_result result = {.path = "", .tempo = NAN};
    size_t count;
    const allin1_format *formats = allin1_formats(&count);
    for (size_t i = 1; i < count; i++) {
        char *one, *two;
        size_t sizes[2];
        assert_int_equal(allin1_result_format(&result, formats[i].name, &one, &sizes[0], NULL),
                         ALLIN1_OK);
        assert_int_equal(allin1_result_format(&result, formats[i].name, &two, &sizes[1], NULL),
                         ALLIN1_OK);
        assert_int_equal(sizes[0], sizes[1]);
        assert_memory_equal(one, two, sizes[0]);
        assert_int_equal(one[sizes[0]], 0);
        allin1_string_free(one);
        allin1_string_free(two);
    }
}

static void the_context_records_the_time(void **state)
{
    (void)state;
    sandbox_make();
    allin1_settings settings;
    allin1_context *context;
    allin1_settings_default(&settings);
    settings.threads = 1;
    assert_int_equal(allin1_open(&context, &settings, NULL), ALLIN1_OK);
    const allin1_result result = {.path = "x", .tempo = NAN};
    const char *path = sandbox_path("x.mid");
    assert_int_equal(allin1_save_format(context, &result, "midi", path, NULL), ALLIN1_OK);
    size_t size;
    char *bytes = sandbox_read("x.mid", &size);
    assert_memory_equal(bytes, "MThd", 4);
    free(bytes);
    allin1_close(&context);
    sandbox_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),
        cmocka_unit_test(escapes),
        cmocka_unit_test(times),
        cmocka_unit_test(titles_and_urls),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(a_bare_result),
        cmocka_unit_test(the_context_records_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
