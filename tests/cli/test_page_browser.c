/* Pages in a real browser: they play, seek, loop and zoom, and show what the result says. */
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/small_program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <allin1/render.h>

#include "support/browser.h"

#define SECONDS 12
#define NAME "</script><b>&\"'\xe6\xad\x8c.wav"

/* 120 beats a minute from 0.5 s, and a short section to go round in. */
#define DOCUMENT                                                                                   \
    "{\"path\": \"%s\", \"bpm\": 120, \"beats\": [0.5,1.0,1.5,2.0,2.5,3.0,3.5,4.0,4.5,5.0,5.5,6.0," \
    "6.5,7.0,7.5,8.0,8.5,9.0,9.5,10.0,10.5,11.0], \"downbeats\": [0.5,2.5,4.5,6.5,8.5,10.5],"      \
    "\"beat_positions\": [1,2,3,4,1,2,3,4,1,2,3,4,1,2,3,4,1,2,3,4,1,2], \"segments\": ["           \
    "{\"start\": 0.0, \"end\": 2.5, \"label\": \"intro\"},"                                        \
    "{\"start\": 2.5, \"end\": 3.5, \"label\": \"verse\"},"                                        \
    "{\"start\": 3.5, \"end\": 8.5, \"label\": \"chorus\"},"                                       \
    "{\"start\": 8.5, \"end\": 12.0, \"label\": \"</script>\"}]}"

static float curves[3][100 * SECONDS];

static int set_up(void **state)
{
    (void)state;
    sandbox_make();
    sandbox_folder("a b");
    make_sound("a b/s.wav", MUSIC, SECONDS);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    browser_stop();
    sandbox_remove();
    return 0;
}

static allin1_result *load(const char *path)
{
    char text[4096], quoted[1024];
    allin1_result *result;
    allin1_error error;
    size_t used = 0;
    for (; *path; path++) {
        if (*path == '"')
            quoted[used++] = '\\';
        quoted[used++] = *path;
    }
    quoted[used] = '\0';
    const int size = snprintf(text, sizeof text, DOCUMENT, quoted);
    sandbox_write("r.json", text, (size_t)size);
    if (allin1_load_json(sandbox_path("r.json"), &result, NULL, &error) != ALLIN1_OK)
        fail_msg("%s", error.message);
    return result;
}

static void save(const allin1_result *result, allin1_page_audio audio, const char *name)
{
    allin1_page_settings settings;
    allin1_error error;
    allin1_page_settings_default(&settings);
    settings.audio = audio;
    if (allin1_save_page(NULL, result, &settings, sandbox_path("%s", name), NULL, &error) !=
        ALLIN1_OK)
        fail_msg("%s", error.message);
}

static void open_page(const char *name)
{
    browser_start(1000, 800);
    browser_open(sandbox_path("%s", name));
}

static void expect_near(const char *expression, double expected, double tolerance)
{
    const double found = browser_number(expression);
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("%s is %g, not %g", expression, found, expected);
}

static void expect_words(const char *expression, const char *expected)
{
    char *text = browser_string(expression);
    assert_string_equal(text, expected);
    free(text);
}

static void make_usual_page(void)
{
    allin1_result *result = load(sandbox_path("a b/s.wav"));
    save(result, ALLIN1_PAGE_AUDIO_AUTO, "p.html");
    allin1_result_free(&result);
    open_page("p.html");
    browser_wait("audio.readyState >= 2");
}

static void shows_what_the_result_says(void **state)
{
    (void)state;
    make_usual_page();
    expect_words("document.title", "s.wav");
    expect_near("audio.duration", SECONDS, 0.02);
    assert_true(browser_true("player.canPlay && !document.getElementById('play').disabled"));
    expect_words("[...document.querySelectorAll('#sections .go')].map(go => "
                  "go.querySelector('.label').textContent + ' ' + "
                  "go.querySelector('.time').textContent).join(', ')",
                  "intro 0:00 \xe2\x80\x93 0:03, verse 0:03 \xe2\x80\x93 0:04, "
                  "chorus 0:04 \xe2\x80\x93 0:09, </script> 0:09 \xe2\x80\x93 0:12");
    /* The band's colour changes at the pixel where the section starts, give or take the line between
     * them. */
    browser_value("drawStill(0, null)");
    expect_words("(() => { const c = still.getContext('2d'), w = still.width, found = [];"
                  "const at = x => [...c.getImageData(x, 3, 1, 1).data].slice(0, 3).map(v => "
                  "v.toString(16).padStart(2, '0')).join('');"
                  "for (const s of song.segments) {"
                  "const a = s.start / song.duration * w, b = s.end / song.duration * w;"
                  "found.push('#' + at(Math.ceil(a) + 2) === s.colour && "
                  "'#' + at(Math.floor(b) - 3) === s.colour); }"
                  "return found.join(' '); })()",
                  "true true true true");
    /* Nothing was fetched but what the page made itself. */
    assert_true(browser_true("performance.getEntriesByType('resource').every(entry => "
                             "/^(blob|data):/.test(entry.name))"));
    browser_stop();
}

static void plays_and_seeks(void **state)
{
    (void)state;
    make_usual_page();
    assert_true(browser_true("audio.paused"));
    browser_key(" ", false);
    browser_wait("!audio.paused && audio.currentTime > 0.4");
    expect_words("document.getElementById('play').getAttribute('aria-label')", "Pause");
    browser_key(" ", false);
    browser_wait("audio.paused");
    const double x = browser_number("chart.getBoundingClientRect().left");
    const double y = browser_number("chart.getBoundingClientRect().top + 100");
    const double width = browser_number("chart.getBoundingClientRect().width");
    browser_mouse("mousePressed", x + width / 2, y);
    browser_mouse("mouseReleased", x + width / 2, y);
    browser_wait("!audio.seeking");
    expect_near("audio.currentTime", SECONDS / 2.0, 2 * SECONDS / width); /* two pixels */
    browser_mouse("mousePressed", x + width / 2, y);
    browser_mouse("mouseMoved", x + width / 3, y);
    browser_mouse("mouseMoved", x + width / 4, y);
    browser_mouse("mouseReleased", x + width / 4, y);
    browser_wait("!audio.seeking");
    expect_near("audio.currentTime", SECONDS / 4.0, 2 * SECONDS / width);
    browser_wait("document.getElementById('clock').textContent.startsWith('0:0')");
    browser_value("document.querySelectorAll('#sections .go')[2].click()");
    browser_wait("!audio.seeking");
    expect_near("audio.currentTime", 3.5, 0.01);
    browser_wait("document.querySelectorAll('#sections li')[2].getAttribute('aria-current') === 'true'");
    expect_words("document.getElementById('place').textContent",
                  "chorus \xc2\xb7 bar 2 \xc2\xb7 beat 3");
    browser_stop();
}

static void press(const char *key, bool shift, double expected)
{
    browser_key(key, shift);
    browser_wait("!audio.seeking");
    expect_near("now()", expected, 0.001);
}

static void keys_go_by_beats_and_sections(void **state)
{
    (void)state;
    make_usual_page();
    press("ArrowRight", false, 0.5);
    press("ArrowRight", false, 1.0);
    press("ArrowRight", false, 1.5);
    press("ArrowLeft", false, 1.0);
    press("ArrowRight", true, 2.5);
    press("ArrowRight", true, 3.5);
    press("ArrowLeft", false, 3.0);
    press("ArrowLeft", true, 2.5);
    press("ArrowLeft", true, 0);
    press("ArrowLeft", true, 0);
    press("End", false, SECONDS);
    press("ArrowLeft", false, 11.0);
    press("Home", false, 0);
    expect_words("chart.getAttribute('aria-valuemax')", "12.00");
    browser_stop();
}

static void loops_a_section(void **state)
{
    (void)state;
    make_usual_page();
    browser_value("seek(2.5)");
    browser_key("l", false);
    assert_true(browser_true("player.loop.index === 1"));
    expect_words("document.getElementById('loop').getAttribute('aria-pressed')", "true");
    browser_value("window.rounds = 0; audio.addEventListener('seeked', () => window.rounds++)");
    browser_key(" ", false);
    browser_wait("window.rounds >= 2"); /* a second each */
    assert_true(browser_true("audio.currentTime >= 2.4 && audio.currentTime < 3.6"));
    browser_key("l", false);
    assert_true(browser_true("player.loop === null"));
    browser_wait("audio.currentTime > 3.7");
    browser_stop();
}

/* Every beat that passes is planned once, before it comes. */
static void metronome_clicks_on_the_beats(void **state)
{
    (void)state;
    make_usual_page();
    browser_key("m", false);
    expect_words("document.getElementById('metronome').getAttribute('aria-pressed')", "true");
    browser_key(" ", false);
    browser_wait("audio.currentTime > 3.2");
    browser_key(" ", false);
    expect_words("metronome.log.slice(0, 6).map(entry => entry[0]).join(' ')", "0.5 1 1.5 2 2.5 3");
    assert_true(browser_true("metronome.log.every(entry => entry[1] >= 0 && entry[1] <= 0.15)"));
    browser_key("m", false);
    assert_true(browser_true("!metronome.on && metronome.planned.length === 0"));
    browser_stop();
}

static void zooms(void **state)
{
    (void)state;
    make_usual_page();
    browser_value("seek(6)");
    browser_key("+", false);
    expect_near("view.to - view.from", SECONDS / 2.0, 1e-6);
    browser_key("+", false);
    expect_near("view.to - view.from", SECONDS / 4.0, 1e-6);
    assert_true(browser_true("view.from <= 6 && view.to >= 6"));
    browser_key("-", false);
    expect_near("view.to - view.from", SECONDS / 2.0, 1e-6);
    browser_key("0", false);
    expect_near("view.to - view.from", SECONDS, 1e-6);
    browser_stop();
}

static void dark_light_and_names_for_all(void **state)
{
    (void)state;
    make_usual_page();
    browser_dark(true);
    browser_wait("getComputedStyle(document.body).backgroundColor === 'rgb(20, 22, 26)'");
    browser_value("document.getElementById('theme').click()");
    browser_wait("getComputedStyle(document.body).backgroundColor === 'rgb(251, 251, 250)'");
    browser_dark(false);
    browser_value("document.getElementById('theme').click()");
    browser_wait("getComputedStyle(document.body).backgroundColor === 'rgb(20, 22, 26)'");
    assert_true(browser_true("[...document.querySelectorAll('button')].every(button => "
                             "(button.getAttribute('aria-label') || button.textContent).trim())"));
    /* What is reached by the keyboard shows it. */
    browser_key("Tab", false);
    assert_true(browser_true("document.activeElement.id === 'theme' && "
                             "parseFloat(getComputedStyle(document.activeElement).outlineWidth) >= 2"));
    /* Nothing is wider than a telephone. */
    browser_resize(360, 700, 2);
    browser_wait("document.documentElement.clientWidth === 360");
    assert_true(browser_true("document.documentElement.scrollWidth <= 360"));
    browser_stop();
}

/* No sound, and names that would end a script or an attribute. */
static void hostile_names_are_only_text(void **state)
{
    (void)state;
    allin1_result *result = load("/music/" NAME);
    allin1_waveform wave = {100, 100 * SECONDS, curves[0], curves[1], curves[2]};
    allin1_activations activations = {.frames_per_second = 100,
                                      .frames = 100 * SECONDS,
                                      .labels = 10,
                                      .beat = curves[0],
                                      .downbeat = curves[1],
                                      .segment = curves[2]};
    for (size_t i = 0; i < 100 * SECONDS; i++)
        curves[0][i] = (float)(i % 50 == 0);
    result->waveform = &wave;
    result->activations = &activations;
    save(result, ALLIN1_PAGE_AUDIO_NONE, "h.html");
    allin1_result_free(&result);
    open_page("h.html");
    expect_words("song.name", "script><b>&\"'\xe6\xad\x8c.wav");
    assert_true(browser_true("document.title === song.name && !document.querySelector('b')"));
    assert_true(browser_true("document.getElementById('play').disabled"));
    expect_words("song.segments[3].label", "</script>");
    assert_true(browser_true("song.activations.beat.length === 1200 && song.activations.beat[50] === 255"
                             " && song.activations.beat[51] === 0"));
    press("ArrowRight", true, 2.5); /* the playhead moves without a sound, too */
    browser_stop();
}

static void linked_and_original_sounds(void **state)
{
    (void)state;
    allin1_result *result = load(sandbox_path("a b/s.wav"));
    sandbox_folder("pages");
    save(result, ALLIN1_PAGE_AUDIO_LINK, "pages/l.html");
    save(result, ALLIN1_PAGE_AUDIO_ORIGINAL, "pages/o.html");
    allin1_result_free(&result);
    open_page("pages/l.html");
    expect_words("song.sound.link", "../a%20b/s.wav");
    browser_wait("audio.readyState >= 2");
    browser_key(" ", false);
    browser_wait("audio.currentTime > 0.3");
    browser_open(sandbox_path("pages/o.html"));
    browser_wait("typeof audio === 'object' && song.sound.type === 'audio/wav' && audio.readyState >= 2");
    expect_near("audio.duration", SECONDS, 0.001);
    browser_stop();
}

static void index_sorts_and_searches(void **state)
{
    (void)state;
    allin1_index *index;
    allin1_error error;
    assert_int_equal(allin1_index_create(&index, &error), ALLIN1_OK);
    static const struct {
        const char *path, *page;
        int bpm;
        unsigned metre;
        double length;
    } songs[] = {{"/m/Zebra 10.mp3", "z.html", 90, 3, 300},
                 {"/m/\xc3\x84pfel.mp3", "a b#.html", 140, 4, 200},
                 {"/m/middle <i>.mp3", "m.html", 120, 4, 100}};
    for (size_t i = 0; i < 3; i++) {
        allin1_result *result = load(songs[i].path);
        result->bpm = songs[i].bpm;
        result->beats_per_bar = songs[i].metre;
        result->duration = songs[i].length;
        assert_int_equal(allin1_index_add(index, result, songs[i].page, &error), ALLIN1_OK);
        allin1_result_free(&result);
    }
    sandbox_write("a b#.html", "<title>found</title>", 20);
    assert_int_equal(allin1_save_index(NULL, index, 1, sandbox_path("index.html"), NULL, &error),
                     ALLIN1_OK);
    allin1_index_free(&index);
    open_page("index.html");
#define SHOWN "[...document.querySelectorAll('#songs tr')].filter(row => !row.hidden).map(row => row.cells[0].textContent).join('|')"
#define SORT(key) browser_value("document.querySelector('button[data-key=" key "]').click()")
    expect_words(SHOWN, "\xc3\x84pfel.mp3|middle <i>.mp3|Zebra 10.mp3");
    SORT("tempo");
    expect_words(SHOWN, "Zebra 10.mp3|middle <i>.mp3|\xc3\x84pfel.mp3");
    SORT("tempo");
    expect_words(SHOWN, "\xc3\x84pfel.mp3|middle <i>.mp3|Zebra 10.mp3");
    expect_words("document.querySelector('[data-key=tempo]').closest('th').getAttribute('aria-sort')",
                  "descending");
    SORT("metre");
    expect_words(SHOWN, "Zebra 10.mp3|\xc3\x84pfel.mp3|middle <i>.mp3");
    SORT("length");
    expect_words(SHOWN, "middle <i>.mp3|\xc3\x84pfel.mp3|Zebra 10.mp3");
    browser_value("(() => { const s = document.getElementById('search'); s.value = 'APFEL 4/4';"
                  "s.dispatchEvent(new Event('input')); })()");
    expect_words(SHOWN, "\xc3\x84pfel.mp3");
    expect_words("document.getElementById('facts').textContent", "1 of 3 songs");
    /* After the answer: the page that is asked must still be there to give it. */
    browser_value("setTimeout(() => document.querySelector('#songs tr:not([hidden]) a').click())");
    browser_wait("document.title === 'found'");
    browser_stop();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, clean_up)
    const struct CMUnitTest tests[] = {
        TEST(shows_what_the_result_says),
        TEST(plays_and_seeks),
        TEST(keys_go_by_beats_and_sections),
        TEST(loops_a_section),
        TEST(metronome_clicks_on_the_beats),
        TEST(zooms),
        TEST(dark_light_and_names_for_all),
        TEST(hostile_names_are_only_text),
        TEST(linked_and_original_sounds),
        TEST(index_sorts_and_searches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
