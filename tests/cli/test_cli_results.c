/* Where results go, when they are made again, and that they are the same. */
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/small_program.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

static void expect_path_in(const char *result, const char *file)
{
    char *text = sandbox_read(result, NULL);
    char *resolved = realpath(sandbox_path("%s", file), NULL);
    char line[1200];
    snprintf(line, sizeof line, "{\n  \"path\": \"%s\",\n", resolved);
    if (strncmp(text, line, strlen(line)) != 0)
        fail_msg("%s is not the result of %s:\n%.300s", result, file, text);
    free(resolved);
    free(text);
}

static char *same_document(const char *a, const char *b)
{
    char *one = comparable_document(a), *two = comparable_document(b);
    if (strcmp(one, two) != 0)
        fail_msg("%s and %s differ:\n%s\n----\n%s", a, b, one, two);
    free(two);
    return one;
}

static void expect_same_bytes(const char *a, const char *b)
{
    size_t sizes[2];
    char *one = sandbox_read(a, &sizes[0]), *two = sandbox_read(b, &sizes[1]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(one, two, sizes[0]);
    free(one);
    free(two);
}

/* Keys in the reference's order, then ours. */
static void layout_of_the_document(void **state)
{
    (void)state;
    static const char *const keys[] = {"path",     "bpm",   "beats",    "downbeats",
                                       "beat_positions", "segments", "tempo", "duration",
                                       "beats_per_bar",  "segment_probabilities",
                                       "segment_label_probabilities", "tempo_curve",
                                       "tempo_confidence", "tempo_alternatives",
                                       "beat_confidences", "downbeat_confidences",
                                       "provenance"};
    make_sound("a.wav", MUSIC, 3);
    expect_run(RUN(SMALL, "a.wav"), 0, "a.wav: ");
    json_error_t reason;
    json_t *root = json_load_file(sandbox_path("struct/a.json"), 0, &reason);
    assert_non_null(root);
    size_t i = 0;
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value)
    {
        assert_true(i < sizeof keys / sizeof *keys);
        assert_string_equal(key, keys[i++]);
    }
    assert_int_equal(i, sizeof keys / sizeof *keys);
    const json_t *from = json_object_get(root, "provenance");
    assert_string_equal(json_string_value(json_object_get(from, "version")),
                        ALLIN1_VERSION_STRING);
    const json_t *network = json_object_get(from, "network");
    const json_t *file = json_array_get(json_object_get(network, "files"), 0);
    assert_int_equal(json_string_length(json_object_get(file, "digest")), 64);
    assert_string_equal(json_string_value(json_object_get(file, "format")), "a1w");
    const json_t *spectrogram = json_object_get(from, "spectrogram");
    assert_string_equal(json_string_value(json_object_get(spectrogram, "backend")), "fast");
    json_decref(root);
    expect_path_in("struct/a.json", "a.wav");
}

static void any_number_of_threads(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 9);
    expect_run(RUN(SMALL, "-q", "-a", "-e", "--threads", "1", "--array-dir", "a1", "-o", "o1",
                   "a.wav"), 0, NULL);
    expect_run(RUN(SMALL, "-q", "-a", "-e", "--threads", "2", "--array-dir", "a2", "-o", "o2",
                   "a.wav"), 0, NULL);
    expect_run(RUN(SMALL, "-q", "-a", "-e", "--threads", "5", "--array-dir", "a2", "-o", "o3",
                   "a.wav"), 0, NULL);
    expect_same_bytes("a1/a.activ.npz", "a2/a.activ.npz");
    expect_same_bytes("a1/a.embed.npy", "a2/a.embed.npy");
    char *one = sandbox_read("o1/a.json", NULL), *two = sandbox_read("o2/a.json", NULL);
    /* The only difference that the result may tell: how many threads, and where the arrays are. */
    char *cut_one = strstr(one, "    \"threads_requested\""), *cut_two =
                                                                  strstr(two, "    \"threads_requested\"");
    assert_true(cut_one && cut_two);
    *cut_one = *cut_two = '\0';
    assert_string_equal(one, two);
    free(one);
    free(two);
    free(same_document("o2/a.json", "o3/a.json"));
}

static void results_do_not_overwrite_each_other(void **state)
{
    (void)state;
    sandbox_folder("one");
    sandbox_folder("two");
    make_sound("one/song.wav", MUSIC, 1);
    make_sound("two/song.wav", NOISE, 1);
    make_sound("song-2.wav", CLICK, 1);
    const test_encoding flac = {"flac", "flac", 0, 0, NULL};
    assert_true(make_sound_as("one/song.flac", CLICK, 1, 2, 44100, &flac));
    expect_run(RUN(SMALL, "-k", "one/song.wav", "two/song.wav", "one/song.flac", "song-2.wav"), 0,
               "4 analysed");
    expect_list("struct", "song-2.json song-3.json song-4.json song.json");
    expect_path_in("struct/song.json", "one/song.wav");
    expect_path_in("struct/song-2.json", "song-2.wav");
    expect_path_in("struct/song-3.json", "two/song.wav");
    expect_path_in("struct/song-4.json", "one/song.flac");
    expect_list("demix/htdemucs", "song song-2 song-3 song-4");

    /* Another order, and one alone: each finds its own again. */
    char *before = sandbox_read("struct/song-3.json", NULL);
    expect_run(RUN(SMALL, "one/song.flac", "two/song.wav", "one/song.wav"), 0,
               "0 analysed, 3 skipped, 0 failed");
    expect_run(RUN(SMALL, "--overwrite", "two/song.wav"), 0, "struct/song-3.json");
    char *after = sandbox_read("struct/song-3.json", NULL);
    assert_string_equal(before, after);
    free(before);
    free(after);
    expect_list("struct", "song-2.json song-3.json song-4.json song.json");

    /* Copies with the same content are songs of their own as well. */
    size_t size;
    char *bytes = sandbox_read("one/song.wav", &size);
    sandbox_folder("three");
    sandbox_write("three/song.wav", bytes, size);
    free(bytes);
    expect_run(RUN(SMALL, "three/song.wav"), 0, "struct/song-5.json");
    expect_path_in("struct/song.json", "one/song.wav");
}

static void the_same_file_twice(void **state)
{
    (void)state;
    make_sound("song.wav", MUSIC, 1);
    sandbox_folder("links");
    assert_int_equal(symlink("../song.wav", sandbox_path("links/other.wav")), 0);
    expect_run(RUN(SMALL, "song.wav", "./song.wav", "links/other.wav"), 0,
               "links/other.wav: is the same file as song.wav");
    expect_list("struct", "song.json");
    expect_path_in("struct/song.json", "song.wav");
}

/* What is no result is never written over; what is a broken one is mended. */
static void files_of_others(void **state)
{
    (void)state;
    make_sound("package.wav", MUSIC, 1);
    sandbox_write("package.json", "{\"name\": \"mine\"}\n", 17);
    expect_run(RUN(SMALL, "-o", ".", "package.wav"), 0, "package-2.json");
    char *text = sandbox_read("package.json", NULL);
    assert_string_equal(text, "{\"name\": \"mine\"}\n");
    free(text);

    size_t size;
    text = sandbox_read("package-2.json", &size);
    unlink(sandbox_path("package.json"));
    for (size_t cut = 0; cut < 400; cut += 133) {
        sandbox_write("package.json", text, cut);
        unlink(sandbox_path("package-2.json"));
        expect_run(RUN(SMALL, "-o", ".", "package.wav"), 0, "will be replaced");
        expect_path_in("package.json", "package.wav");
    }
    free(text);
}

/* A name that can have no result is that song's failure and no other's. */
static void a_name_that_is_too_long(void **state)
{
    (void)state;
    char name[256];
    memset(name, 'x', 251);
    memcpy(name + 251, ".wav", 5);
    make_sound(name, MUSIC, 1);
    make_sound("a.wav", MUSIC, 1);
    sandbox_folder("struct");
    program_outcome run = RUN(SMALL, name, "a.wav");
    program_expect(&run, 1);
    expect_text(run.err, "xxx.wav: its result can have no name in ./struct: File name too long");
    program_free(&run);
    expect_list("struct", "a.json");
}

static void skips_what_is_done(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 1);
    expect_run(RUN(SMALL, "a.wav"), 0, "struct/a.json");
    char *first = sandbox_read("struct/a.json", NULL);
    expect_run(RUN(SMALL, "a.wav"), 0, "a.wav: skipped");
    /* Another time stamp is no other content. */
    const struct utimbuf times = {1000000000, 1000000000};
    utime(sandbox_path("a.wav"), &times);
    expect_run(RUN(SMALL, "a.wav"), 0, "a.wav: skipped");
    expect_run(RUN(SMALL, "--threads", "1", "a.wav"), 0, "a.wav: skipped");
    /* The place of the weights does not matter, their content does. */
    expect_run(RUN("-m", "./models/tiny-harmonix.a1w", "--demix-model",
                   "models/tiny-htdemucs.a1w", "a.wav"), 0, "a.wav: skipped");
    char *text = sandbox_read("struct/a.json", NULL);
    assert_string_equal(first, text);
    free(text);

    expect_run(RUN(SMALL, "--spec-backend", "reference", "a.wav"), 0,
               "-> ./struct/a.json");
    expect_run(RUN(SMALL, "--spec-backend", "fast", "a.wav"), 0, "-> ./struct/a.json");
    expect_run(RUN(SMALL, "--spec-backend", "auto", "a.wav"), 0, "a.wav: skipped");
    expect_run(RUN(SMALL, "--demix-shifts", "1", "a.wav"), 0, "-> ./struct/a.json");
    expect_run(RUN(SMALL, "--demix-shifts", "1", "--demix-seed", "1", "a.wav"), 0,
               "-> ./struct/a.json");
    expect_run(RUN(SMALL, "a.wav"), 0, "-> ./struct/a.json");
    expect_run(RUN(SMALL, "--demix-seed", "1", "a.wav"), 0, "a.wav: skipped"); /* no shifts */
    expect_run(RUN(SMALL, "--overwrite", "a.wav"), 0, "-> ./struct/a.json");
    expect_run(RUN(SMALL, "--overwrite=json", "a.wav"), 0, "-> ./struct/a.json");
    text = sandbox_read("struct/a.json", NULL);
    assert_string_equal(first, text);
    free(text);

    /* Arrays that are asked for and not there are made. */
    expect_run(RUN(SMALL, "-a", "a.wav"), 0, "-> ./struct/a.json");
    expect_run(RUN(SMALL, "-a", "a.wav"), 0, "skipped");
    expect_run(RUN(SMALL, "a.wav"), 0, "skipped");
    expect_run(RUN(SMALL, "-a", "-e", "a.wav"), 0, "-> ./struct/a.json");
    unlink(sandbox_path("struct/a.embed.npy"));
    expect_run(RUN(SMALL, "-a", "-e", "a.wav"), 0, "-> ./struct/a.json");
    expect_run(RUN(SMALL, "-a", "-e", "--array-dir", "arrays", "a.wav"), 0, "-> ./struct/a.json");
    expect_list("arrays", "a.activ.npz a.embed.npy");

    /* Other content under the same name. */
    make_sound("a.wav", NOISE, 1);
    expect_run(RUN(SMALL, "a.wav"), 0, "-> ./struct/a.json");
    text = sandbox_read("struct/a.json", NULL);
    assert_string_not_equal(first, text);
    free(text);
    free(first);
}

static void without_a_demixer(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 9);
    program_outcome run = RUN("--verbose", "-m", "models/tiny-harmonix.a1w", "--demix", "none", "a.wav");
    program_expect(&run, 0);
    expect_text(run.err, "stems: guessed from the mix");
    program_free(&run);
    char *text = sandbox_read("struct/a.json", NULL);
    expect_text(text, "\"origin\": \"guessed\"");
    expect_text(text, "\"model\": \"none\"");
    free(text);
    allin1_result *result = check_result("struct/a.json", 9, 0.01);
    allin1_result_free(&result);
    /* What was made with a demixer is another result. */
    expect_run(RUN("-m", "models/tiny-harmonix.a1w", "--demix-model", "none", "a.wav"), 0,
               "skipped");
    expect_run(RUN(SMALL, "a.wav"), 0, "-> ./struct/a.json");
}

/* What is asked about tempo, metre and labels decides the result and stands in it; asked for in another
 * way, the same is the same. */
static void musical_options(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 6);
    expect_run(RUN(SMALL, "-k", "a.wav"), 0, "struct/a.json");
    expect_run(RUN(SMALL, "--min-bpm", "55", "--max-bpm", "215", "--beats-per-bar", "4:2,3:2",
                   "--transition-lambda", "100", "--unknown", "0", "a.wav"), 0, "skipped");
    static const char *const changes[][2] = {{"--min-bpm", "60"},         {"--max-bpm", "200"},
                                             {"--tempo-hint", "120"},     {"--beats-per-bar", "3,4,5"},
                                             {"--beats-per-bar", "3,4:2"}, {"--transition-lambda", "50"},
                                             {"--unknown", "0.5"}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        expect_run(RUN(SMALL, changes[i][0], changes[i][1], "a.wav"), 0, "from the kept spectrogram");
        expect_run(RUN(SMALL, changes[i][0], changes[i][1], "a.wav"), 0, "skipped");
    }
    program_outcome run = RUN(SMALL, "--verbose", "-o", "all", "--tempo-hint", "90.5", "--beats-per-bar",
                              "2,7:0.25,12:0.5", "--transition-lambda", "20", "--unknown", "1",
                              "a.wav");
    program_expect(&run, 0);
    expect_text(run.err, "beats: 63.99 to 128 bpm (hint: 90.5), beats a bar 2:1,7:0.25,12:0.5, "
                         "transition lambda 20");
    expect_text(run.err, "labels: unknown below 1");
    program_free(&run);
    json_error_t reason;
    json_t *root = json_load_file(sandbox_path("all/a.json"), 0, &reason);
    assert_non_null(root);
    const json_t *from = json_object_get(root, "provenance");
    json_t *expected = json_pack("{s:n, s:n, s:f, s:f, s:f, s:[i,i,i], s:[f,f,f], s:f}",
                                 "min_bpm_requested", "max_bpm_requested", "tempo_hint", 90.5, "min_bpm",
                                 63.993164, "max_bpm", 127.986327, "beats_per_bar", 2, 7, 12, "weights",
                                 1.0, 0.25, 0.5, "transition_lambda", 20.0);
    assert_non_null(expected);
    assert_true(json_equal(json_object_get(from, "metrical"), expected));
    json_decref(expected);
    assert_true(json_real_value(json_object_get(json_object_get(from, "functional"),
                                                "unknown_threshold")) == 1);
    const json_t *segments = json_object_get(root, "segments");
    const json_t *of_labels = json_object_get(json_object_get(root, "segment_label_probabilities"),
                                              "values");
    assert_true(json_array_size(segments) > 0);
    assert_int_equal(json_array_size(of_labels), json_array_size(segments));
    for (size_t i = 0; i < json_array_size(segments); i++) {
        assert_string_equal(json_string_value(json_object_get(json_array_get(segments, i), "label")),
                            "unknown");
        double sum = 0, largest = 0;
        for (size_t l = 0; l < 10; l++) {
            const double value = json_number_value(json_array_get(json_array_get(of_labels, i), l));
            sum += value;
            largest = value > largest ? value : largest;
        }
        assert_true(sum > 0.995 && sum < 1.005); /* ten numbers rounded to 0.001 */
        assert_true(largest == json_number_value(json_array_get(
                                   json_object_get(root, "segment_probabilities"), i)));
    }
    json_decref(root);
    allin1_result *read;
    assert_int_equal(allin1_load_json(sandbox_path("all/a.json"), &read, NULL, NULL), ALLIN1_OK);
    assert_true(read->beats_per_bar == 2 || read->beats_per_bar == 7 || read->beats_per_bar == 12);
    allin1_result_free(&read);
}

static void byproducts_are_used_again(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 9);
    expect_run(RUN(SMALL, "-o", "plain", "a.wav"), 0, NULL);
    assert_false(sandbox_has("demix") || sandbox_has("spec"));
    expect_run(RUN(SMALL, "-k", "-o", "kept", "a.wav"), 0, NULL);
    expect_list("demix/htdemucs/a", "allin1.key bass.wav drums.wav other.wav vocals.wav");
    expect_list("spec", "a.npy a.npy.key");
    free(same_document("plain/a.json", "kept/a.json"));

    expect_run(RUN(SMALL, "-o", "from_spec", "a.wav"), 0, "from the kept spectrogram");
    free(same_document("plain/a.json", "from_spec/a.json"));
    char *text = sandbox_read("from_spec/a.json", NULL);
    expect_text(text, "\"origin\": \"byproduct\"");
    free(text);

    size_t size, again_size;
    char *spec = sandbox_read("spec/a.npy", &size);
    unlink(sandbox_path("spec/a.npy"));
    expect_run(RUN(SMALL, "-k", "-o", "from_stems", "a.wav"), 0, "from the kept stems");
    free(same_document("plain/a.json", "from_stems/a.json"));
    char *again = sandbox_read("spec/a.npy", &again_size);
    assert_int_equal(size, again_size);
    assert_memory_equal(spec, again, size);
    free(again);
    free(spec);

    /* Stems that someone has changed, or that belong to other settings, are not used. */
    char *stem = sandbox_read("demix/htdemucs/a/bass.wav", &size);
    stem[size / 2] = (char)(stem[size / 2] ^ 64);
    sandbox_write("demix/htdemucs/a/bass.wav", stem, size);
    free(stem);
    program_outcome run = RUN(SMALL, "--verbose", "-o", "fresh", "--overwrite=spec", "a.wav");
    program_expect(&run, 0);
    expect_text(run.err, "changed since they were made");
    expect_no_text(run.err, "from the kept");
    program_free(&run);
    free(same_document("plain/a.json", "fresh/a.json"));

    run = RUN(SMALL, "-o", "other", "--demix-shifts", "1", "a.wav");
    program_expect(&run, 0);
    expect_no_text(run.err, "from the kept");
    program_free(&run);
    run = RUN(SMALL, "-k", "-o", "kept", "--overwrite=demix", "a.wav");
    program_expect(&run, 0);
    expect_no_text(run.err, "from the kept");
    program_free(&run);
    free(same_document("plain/a.json", "kept/a.json"));
}

/* The stems that were kept, given back as ready stems, lead to the same structure. */
static void given_stems(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 4);
    expect_run(RUN(SMALL, "-k", "a.wav"), 0, NULL);
    expect_run(RUN("-m", "models/tiny-harmonix.a1w", "--stems-dir", "demix/htdemucs", "-o", "given",
                   "--spec-dir", "elsewhere", "a.wav"), 0, NULL);
    char *one = sandbox_read("struct/a.json", NULL), *two = sandbox_read("given/a.json", NULL);
    expect_text(two, "\"mode\": \"4 stems\"");
    *strstr(one, "  \"provenance\"") = '\0';
    *strstr(two, "  \"provenance\"") = '\0';
    assert_string_equal(one, two);
    free(one);
    free(two);
    expect_run(RUN("-m", "models/tiny-harmonix.a1w", "--stems-dir", "demix/htdemucs", "-o", "given",
                   "a.wav"), 0, "skipped");
    expect_run(RUN("-m", "models/tiny-harmonix.a1w", "--stems-dir", "demix/htdemucs/a",
                   "--stems-pattern", "%s.wav", "-o", "given", "a.wav"), 0, "skipped");
    unlink(sandbox_path("demix/htdemucs/a/vocals.wav"));
    expect_run(RUN("-m", "models/tiny-harmonix.a1w", "--stems-dir", "demix/htdemucs", "-o", "given",
                   "a.wav"), 1, "vocals");
}

static void on_standard_output(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 1);
    make_sound("b.wav", CLICK, 1);
    program_outcome run = RUN(SMALL, "--json", "a.wav");
    program_expect(&run, 0);
    assert_false(sandbox_has("struct"));
    char *printed = strdup(run.out);
    program_free(&run);
    run = RUN(SMALL, "--json", "-o", "out", "a.wav");
    program_expect(&run, 0);
    assert_string_equal(run.out, printed);
    char *file = sandbox_read("out/a.json", NULL);
    assert_int_equal(strlen(file) + 1, strlen(printed));
    assert_memory_equal(file, printed, strlen(file));
    program_free(&run);
    /* The result that is there already is printed just the same. */
    run = RUN(SMALL, "--json", "-o", "out", "a.wav");
    program_expect(&run, 0);
    expect_text(run.err, "skipped");
    assert_string_equal(run.out, printed);
    program_free(&run);

    /* Several documents, one after the other. */
    run = RUN(SMALL, "--json", "-q", "a.wav", "b.wav");
    program_expect(&run, 0);
    const char *at = run.out;
    for (int i = 0; i < 2; i++) {
        json_error_t reason;
        json_t *root = json_loads(at, JSON_DISABLE_EOF_CHECK, &reason);
        assert_non_null(root);
        json_decref(root);
        at += reason.position;
    }
    assert_string_equal(at, "\n");
    assert_memory_equal(run.out, printed, strlen(printed));
    program_free(&run);
    free(printed);
    free(file);
}

static void arrays(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 2);
    expect_run(RUN(SMALL, "-a", "-e", "a.wav"), 0, NULL);
    static const char *const members[] = {"beat", "downbeat", "segment", "label"};
    for (size_t i = 0; i < 4; i++) {
        test_array array = test_read_array(sandbox_path("struct/a.activ.npz"), members[i]);
        assert_int_equal(array.rank, i == 3 ? 2 : 1);
        assert_int_equal(array.shape[array.rank - 1], 200);
        if (i == 3)
            assert_int_equal(array.shape[0], 10);
        for (size_t j = 0; j < array.count; j++)
            assert_true(array.values[j] >= 0 && array.values[j] <= 1);
        for (size_t t = 0; i == 3 && t < 200; t++) {
            double sum = 0;
            for (size_t l = 0; l < 10; l++)
                sum += array.values[l * 200 + t];
            assert_true(sum > 1 - 1e-5 && sum < 1 + 1e-5); /* ten float32 roundings */
        }
        test_array_free(&array);
    }
    test_array rate = test_read_array(sandbox_path("struct/a.activ.npz"), "frames_per_second");
    assert_int_equal(rate.rank, 0);
    assert_true(rate.count == 1 && rate.values[0] == 100);
    test_array_free(&rate);
    char *text = sandbox_read("struct/a.json", NULL);
    expect_text(text, "\"frames_per_second\": 100.0");
    free(text);
    /* One fold has no ensemble axis. */
    test_array array = test_read_array(sandbox_path("struct/a.embed.npy"), NULL);
    assert_int_equal(array.rank, 3);
    assert_int_equal(array.shape[0], 4);
    assert_int_equal(array.shape[1], 200);
    assert_int_equal(array.shape[2], 24);
    test_array_free(&array);
}

static void timings(void **state)
{
    (void)state;
    static const char *const stages[] = {"input_hash", "model_load", "demix_init", "decode", "demix",
                                         "spectrogram", "nn", "metrical_prep", "metrical_dbn",
                                         "functional_probs", "functional_local_maxima",
                                         "functional_boundaries", "postprocess", "save"};
    make_sound("a.wav", MUSIC, 2);
    sandbox_write("t.jsonl", "{\"stage\": \"mine\"}\n", 18);
    expect_run(RUN(SMALL, "--timings", "t.jsonl", "a.wav"), 0, NULL);
    char *text = sandbox_read("t.jsonl", NULL);
    assert_memory_equal(text, "{\"stage\": \"mine\"}\n", 18);
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        char lead[64];
        snprintf(lead, sizeof lead, "\n{\"stage\": \"%s\", \"start\": ", stages[i]);
        expect_text(text, lead);
    }
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_error_t reason;
        json_t *root = json_loads(line, 0, &reason);
        if (!root)
            fail_msg("%s: %s", reason.text, line);
        json_decref(root);
    }
    free(text);
    expect_run(RUN(SMALL, "--timings", "none/t.jsonl", "a.wav"), 1, "none/t.jsonl");
    expect_run(RUN(SMALL, "--timings", "/dev/full", "--overwrite", "a.wav"), 1, "No space left");
}

/* A disk that is full leaves the result that was there, and no rubbish. */
static void full_disk(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 1);
    expect_run(RUN(SMALL, "a.wav"), 0, NULL);
    char *before = sandbox_read("struct/a.json", NULL);
    const program_setting full = {.file_size_limit = 1000};
    const char *const words[] = {SMALL, "--overwrite", "a.wav", NULL};
    expect_run(program_run(&full, words), 1, "struct/a.json");
    const char *const keep[] = {SMALL, "--overwrite", "-k", "a.wav", NULL};
    expect_run(program_run(&full, keep), 1, ".wav");
    char *after = sandbox_read("struct/a.json", NULL);
    assert_string_equal(before, after);
    free(before);
    free(after);
    expect_list("struct", "a.json");
    expect_list("demix/htdemucs/a", "");
    sandbox_write("file", "", 0);
    expect_run(RUN(SMALL, "-o", "file", "a.wav"), 1, "file");
    expect_run(RUN(SMALL, "-o", "/proc/none", "a.wav"), 1, "/proc/none");
}

/* Ctrl-C keeps what is finished and says what is left. */
static void interrupted(void **state)
{
    (void)state;
    make_sound("a.wav", CLICK, 0.1);
    make_sound("long.wav", SILENCE, 600);
    make_sound("z.wav", CLICK, 0.1);
    /* The first takes a moment; the second takes far longer than this. */
    const program_setting setting = {.interrupt_after_ms = 6000};
    const char *const words[] = {SMALL, "a.wav", "long.wav", "z.wav", NULL};
    program_outcome run = program_run(&setting, words);
    program_expect(&run, 130);
    expect_text(run.err, "Interrupted");
    expect_text(run.err, "  z.wav");
    program_free(&run);
    if (sandbox_has("struct/a.json")) {
        expect_list("struct", "a.json");
        allin1_result *read = check_result("struct/a.json", 0.1, 0.001);
        allin1_result_free(&read);
    }
}

/* Many files, interrupted in the fourth: three results are whole, the list of what is left is exact, and
 * the same command again does the rest and nothing else. */
static void interrupted_among_many(void **state)
{
    (void)state;
    enum { COUNT = 8, DONE = 3 };
    const char *words[COUNT + 6] = {SMALL};
    char names[COUNT][16];
    size_t count = 0;
    while (words[count])
        count++;
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "song%zu.wav", i + 1);
        make_sound(names[i], MUSIC, i == DONE ? 30 : 0.2); /* long enough for the signal to come */
        words[count + i] = names[i];
    }
    const program_setting setting = {.interrupt_at = "song4.wav: demixing"};
    program_outcome run = program_run(&setting, words);
    program_expect(&run, 130);
    expect_text(run.err, "[4/8] song4.wav: demixing");
    expect_text(run.err, "Interrupted: 3 of 8 files are done, these are left:\n"
                         "  song4.wav\n  song5.wav\n  song6.wav\n  song7.wav\n  song8.wav\n"
                         "The same command goes on with them.\n");
    expect_no_text(run.err, "song5.wav: ");
    program_free(&run);
    expect_list("struct", "song1.json song2.json song3.json");
    for (size_t i = 0; i < DONE; i++) {
        char result[32];
        snprintf(result, sizeof result, "struct/song%zu.json", i + 1);
        allin1_result *read = check_result(result, 0.2, 0.001);
        allin1_result_free(&read);
    }
    make_sound("song4.wav", MUSIC, 0.2); /* the rest need not be long */
    run = program_run(NULL, words);
    program_expect(&run, 0);
    expect_text(run.err, "5 analysed, 3 skipped, 0 failed");
    program_free(&run);
}

/* A bar on a terminal, taken away at the end; plain lines elsewhere; nothing when quiet. */
static void progress(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 12);
    const char *const words[] = {SMALL, "--overwrite", "a.wav", NULL};
    const char *const environment[] = {"TERM=xterm", NULL};
    const program_setting terminal = {.terminal = true, .environment = environment};
    program_outcome run = program_run(&terminal, words);
    program_expect(&run, 0);
    expect_text(run.err, "a.wav");
    expect_text(run.err, "demixing");
    expect_text(run.err, "%");
    expect_text(run.err, "\xe2\x96\x91"); /* an empty cell */
    for (const char *line = run.err; *line;) {
        const size_t length = strcspn(line, "\r\n");
        assert_true(length < 100 + 2 * 40 + 8); /* a cell takes three bytes */
        line += length + (line[length] != '\0');
    }
    const char *last_bar = strrchr(run.err, '%'), *message = strstr(run.err, "-> ./struct/a.json");
    assert_true(message > last_bar);
    expect_text(last_bar, "\r\033[K");
    program_free(&run);

    run = program_run(NULL, words);
    program_expect(&run, 0);
    expect_text(run.err, "a.wav: demixing\na.wav: spectrogram\na.wav: network\n");
    expect_no_text(run.err, "\033");
    expect_no_text(run.err, "\r");
    program_free(&run);

    const char *const quiet[] = {SMALL, "--overwrite", "-q", "a.wav", NULL};
    run = program_run(&terminal, quiet);
    program_expect(&run, 0);
    assert_string_equal(run.err, "");
    program_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(layout_of_the_document, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(any_number_of_threads, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(results_do_not_overwrite_each_other, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(the_same_file_twice, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(a_name_that_is_too_long, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(files_of_others, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(skips_what_is_done, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(without_a_demixer, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(musical_options, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(byproducts_are_used_again, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(given_stems, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(on_standard_output, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(arrays, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(timings, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(full_disk, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(interrupted, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(interrupted_among_many, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(progress, small_set_up, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
