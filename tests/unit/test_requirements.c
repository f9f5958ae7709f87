/* Lists of what must run. */
#include "support/golden.h"
#include "support/sandbox.h"

#include <string.h>

#include "requirements.h"

static void good_lists(void **state)
{
    (void)state;
    a1_requirements wanted;
    assert_int_equal(a1_requirements_parse(&wanted, NULL, NULL), ALLIN1_OK);
    assert_null(wanted.spectrogram);
    assert_int_equal(wanted.threads, 0);
    assert_int_equal(a1_requirements_parse(&wanted,
                                           "spectrogram=fast,demix=bf16,threads=12,cpu=avx512,"
                                           "network=fp32,model=harmonix-all",
                                           NULL),
                     ALLIN1_OK);
    assert_string_equal(wanted.spectrogram, "fast");
    assert_string_equal(wanted.demix, "bf16");
    assert_int_equal(wanted.model_length, strlen("harmonix-all"));
    assert_memory_equal(wanted.model, "harmonix-all", wanted.model_length);
    assert_int_equal(wanted.threads, 12);
    assert_int_equal(wanted.cpu, ALLIN1_CPU_AVX512);
}

static void bad_lists(void **state)
{
    (void)state;
    static const struct {
        const char *list, *part;
    } cases[] = {
        {"", "\"\" cannot be required"},
        {"fast", "\"fast\" cannot be required"},
        {"spectrogram", "\"spectrogram\" cannot be required"},
        {"threads=2,", "\"\" cannot be required"},
        {",threads=2", "\"\" cannot be required"},
        {"=2", "\"=2\" cannot be required"},
        {"spectrogram=", "spectrogram= takes fast or reference, not \"\""},
        {"spectrogram=auto", "not \"auto\""},
        {"spectrogram=fastest", "not \"fastest\""},
        {"demix=auto", "demix= takes"},
        {"model=", "model= takes a model's name"},
        {"network=bf16", "network= takes fp32, not \"bf16\""},
        {"threads=0", "threads= takes"},
        {"threads=-1", "threads= takes"},
        {"threads=2x", "threads= takes"},
        {"threads=99999999999999999999", "threads= takes"},
        {"cpu=auto", "cpu= takes"},
        {"cpu=avx512,gpu=1", "\"gpu=1\" cannot be required"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        a1_requirements wanted;
        a1_error err = {0};
        if (a1_requirements_parse(&wanted, cases[i].list, &err) != ALLIN1_ERROR_ARGUMENT)
            fail_msg("\"%s\" was taken", cases[i].list);
        expect_text(err.message, cases[i].part);
    }
    char longer[2000];
    a1_requirements wanted;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(a1_requirements_parse(&wanted, longer, NULL), ALLIN1_ERROR_ARGUMENT);
    memcpy(longer, "cpu=", 4);
    assert_int_equal(a1_requirements_parse(&wanted, longer, NULL), ALLIN1_ERROR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lists),
        cmocka_unit_test(bad_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
