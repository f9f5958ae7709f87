/* page_pictures PAGE.html PREFIX: photographs a page with Chromium, light, dark and narrow, after a
 * few seconds of the song; for the documents and for looking at a change. */
#include "support/golden.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/browser.h"

static const char *page, *prefix;

static const char *named(const char *what)
{
    static char path[4200];
    snprintf(path, sizeof path, "%s%s.png", prefix, what);
    return path;
}

static void take_pictures(void **state)
{
    (void)state;
    browser_start(1180, 780);
    browser_dark(false);
    browser_open(page);
    browser_value("typeof seek === 'function' && seek(song.duration * 0.4)");
    browser_picture(named("light"));
    browser_dark(true);
    browser_value("typeof zoom === 'function' && zoom(0.2)");
    browser_picture(named("dark"));
    browser_dark(false);
    browser_resize(390, 844, 2);
    browser_value("typeof setView === 'function' && setView(0, song.duration)");
    browser_picture(named("phone"));
    browser_stop();
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "Usage: page_pictures /absolute/PAGE.html PREFIX\n");
        return 2;
    }
    page = argv[1];
    prefix = argv[2];
    const struct CMUnitTest tests[] = {cmocka_unit_test(take_pictures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
