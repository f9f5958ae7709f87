/* JSON text in Python's layout. */
#include "support/golden.h"

#include <stdlib.h>
#include <string.h>

#include "output/json_text.h"

static void expect(a1_json *json, const char *text)
{
    char *found = a1_json_take(json);
    assert_non_null(found);
    assert_string_equal(found, text);
    free(found);
}

static void expect_quoted(const char *value, const char *text)
{
    a1_json json;
    a1_json_begin(&json, false);
    a1_json_string(&json, NULL, value);
    expect(&json, text);
}

static void strings(void **state)
{
    (void)state;
    expect_quoted("", "\"\"");
    expect_quoted(NULL, "null");
    expect_quoted("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
    expect_quoted("\n\r\t\b\f\x01\x1f\x7f~ ", "\"\\n\\r\\t\\b\\f\\u0001\\u001f\\u007f~ \"");
    expect_quoted("\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\xb5", "\"\\u00e9\\u20ac\\ud83c\\udfb5\"");
}

/* What is not UTF-8 has no form in JSON: the replacement character stands for each byte. */
static void invalid_utf8(void **state)
{
    (void)state;
    expect_quoted("a\xffz", "\"a\\ufffdz\"");
    expect_quoted("\xc3", "\"\\ufffd\"");
    expect_quoted("\xc3z", "\"\\ufffdz\"");
    expect_quoted("\xc0\xaf", "\"\\ufffd\\ufffd\"");             /* overlong */
    expect_quoted("\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""); /* a lone surrogate */
    expect_quoted("\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"");
    expect_quoted("\xe2\x82", "\"\\ufffd\\ufffd\"");
}

static void pretty_layout(void **state)
{
    (void)state;
    const double values[] = {0.84, 1.66, 2.5};
    const unsigned positions[] = {2, 3};
    a1_json json;
    a1_json_begin(&json, true);
    a1_json_open(&json, NULL, '{');
    a1_json_string(&json, "path", "x");
    a1_json_null(&json, "bpm");
    a1_json_decimals(&json, "none", NULL, 0, 2);
    a1_json_decimals(&json, "one", values, 1, 2);
    a1_json_decimals(&json, "two", values, 2, 2);
    a1_json_unsigneds(&json, "positions", positions, 2);
    a1_json_unsigneds(&json, "position", positions, 1);
    a1_json_open(&json, "list", '[');
    a1_json_open(&json, NULL, '{');
    a1_json_bool(&json, "a", true);
    a1_json_close(&json, '}');
    a1_json_open(&json, NULL, '{');
    a1_json_close(&json, '}');
    a1_json_close(&json, ']');
    a1_json_integer(&json, "n", -3);
    a1_json_close(&json, '}');
    expect(&json, "{\n"
                  "  \"path\": \"x\",\n"
                  "  \"bpm\": null,\n"
                  "  \"none\": [],\n"
                  "  \"one\": [\n"
                  "    0.84\n"
                  "  ],\n"
                  "  \"two\": [0.84,1.66],\n"
                  "  \"positions\": [2,3],\n"
                  "  \"position\": [\n"
                  "    2\n"
                  "  ],\n"
                  "  \"list\": [\n"
                  "    {\n"
                  "      \"a\": true\n"
                  "    },\n"
                  "    {}\n"
                  "  ],\n"
                  "  \"n\": -3\n"
                  "}");
}

static void one_line(void **state)
{
    (void)state;
    const double values[] = {1, 2};
    a1_json json;
    a1_json_begin(&json, false);
    a1_json_open(&json, NULL, '{');
    a1_json_string(&json, "stage", "nn");
    a1_json_decimal(&json, "start", 1.25, 6);
    a1_json_decimals(&json, "list", values, 2, 1);
    a1_json_close(&json, '}');
    expect(&json, "{\"stage\": \"nn\", \"start\": 1.25, \"list\": [1.0, 2.0]}");
}

static void too_deep(void **state)
{
    (void)state;
    a1_json json;
    a1_json_begin(&json, true);
    for (int i = 0; i < 2 * A1_JSON_DEPTH; i++)
        a1_json_open(&json, NULL, '[');
    for (int i = 0; i < 2 * A1_JSON_DEPTH; i++)
        a1_json_close(&json, ']');
    assert_null(a1_json_take(&json));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings),       cmocka_unit_test(invalid_utf8),
        cmocka_unit_test(pretty_layout), cmocka_unit_test(one_line),
        cmocka_unit_test(too_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
