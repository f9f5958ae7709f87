/* Headless Chromium, driven through a pair of pipes in the Chrome DevTools Protocol. */
#ifndef TEST_SUPPORT_BROWSER_H
#define TEST_SUPPORT_BROWSER_H

#include <stdbool.h>

#include <jansson.h>

/* Starts the browser with a window of this size; skips the running test, with a word, when there is no
 * Chromium here. One at a time. */
void browser_start(int width, int height);
void browser_stop(void);

/* Opens a file and waits until it is loaded. */
void browser_open(const char *path);

/* The value of a JavaScript expression (a promise is awaited), to be json_decref'ed. Fails the test
 * when it throws. */
json_t *browser_value(const char *expression);
double browser_number(const char *expression);
bool browser_true(const char *expression);
/* Freed by the caller. */
char *browser_string(const char *expression);

/* Waits up to 10 s until the expression is true; fails the test when it never is. */
void browser_wait(const char *expression);

/* Real input events. `key` as KeyboardEvent.key has it; `shift` not 0 holds the shift key. */
void browser_key(const char *key, bool shift);
void browser_mouse(const char *type, double x, double y); /* mousePressed, mouseMoved, mouseReleased */

void browser_resize(int width, int height, double scale);
void browser_dark(bool dark);

/* The whole page as PNG. */
void browser_picture(const char *path);

#endif
