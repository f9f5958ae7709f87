/* Text for pages: nothing that stands in a name can leave its place. */
#include "support/golden.h"

#include <stdlib.h>
#include <string.h>

#include "page/page.h"

static void expect_taken(a1_html *text, const char *expected)
{
    assert_false(text->failed);
    assert_string_equal(text->bytes, expected);
    a1_html_free(text);
}

static void markup_is_escaped(void **state)
{
    (void)state;
    a1_html text = {0};
    a1_html_put_escaped(&text, "a<b>&\"c'\xe6\xad\x8c");
    expect_taken(&text, "a&#60;b&#62;&#38;&#34;c&#39;\xe6\xad\x8c");
    a1_html_put_script_json(&text, "{\"a\": \"</script><!--\"}");
    expect_taken(&text, "{\"a\": \"\\u003c/script>\\u003c!--\"}");
}

static void templates(void **state)
{
    (void)state;
    const a1_slot slots[] = {{"one", "<1>", true}, {"two", "{{one}}<2>", false}, {NULL, NULL, false}};
    a1_html text = {0};
    a1_html_fill(&text, "a{{one}}b{{two}}c{{three}}d{{one", slots);
    expect_taken(&text, "a&#60;1&#62;b{{one}}<2>c{{three}}d{{one");
}

/* Large enough to be coded in parts. */
static void base64(void **state)
{
    (void)state;
    a1_html text = {0};
    a1_html_put_base64(&text, "allin1", 5);
    expect_taken(&text, "YWxsaW4=");
    const size_t size = (3u << 20) + 2;
    char *zeros = calloc(1, size);
    assert_non_null(zeros);
    a1_html_put_base64(&text, zeros, size);
    assert_int_equal(text.used, (size + 2) / 3 * 4);
    assert_string_equal(text.bytes + text.used - 4, "AAA=");
    assert_int_equal(strspn(text.bytes, "A"), text.used - 1);
    a1_html_free(&text);
    free(zeros);
}

static void relative_links(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"/a/b", "/a/b/c.mp3", "c.mp3"},         {"/a/b", "/a/c.mp3", "../c.mp3"},
        {"/a/b", "/a/bc/d.mp3", "../bc/d.mp3"},  {"/a/b/c", "/x.mp3", "../../../x.mp3"},
        {"/", "/m/x.mp3", "m/x.mp3"},            {"/a", "/a/50% #1?.mp3", "50%25%20%231%3F.mp3"},
        {"", "\xe6\xad\x8c.html", "%E6%AD%8C.html"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        a1_html text = {0};
        a1_put_relative_link(&text, cases[i][0], cases[i][1]);
        expect_taken(&text, cases[i][2]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_is_escaped),
        cmocka_unit_test(templates),
        cmocka_unit_test(base64),
        cmocka_unit_test(relative_links),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
