#include "timings_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "messages.h"

bool timings_wanted(const timings_wishes *wishes)
{
    return wishes->lines || wishes->json || wishes->trace || wishes->figure ||
           wishes->summary;
}

static void lose(timings_output *output, const char *path, const char *reason)
{
    if (!output->lost)
        message_error("%s: cannot write the timings: %s", path, reason);
    output->lost = true;
}

bool timings_output_open(timings_output *output, const timings_wishes *wishes)
{
    *output = (timings_output){.wishes = *wishes, .descriptor = -1};
    if (!timings_wanted(wishes))
        return true;
    allin1_error error;
    if (allin1_timings_create(&output->timings, &error) != ALLIN1_OK) {
        message_error("%s", error.message);
        return false;
    }
    if (!wishes->lines)
        return true;
    output->descriptor =
        open(wishes->lines, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, (mode_t)0666);
    if (output->descriptor < 0)
        message_error("%s: cannot open: %s", wishes->lines, strerror(errno));
    return output->descriptor >= 0;
}

/* One write a line, so that several programs may append to the same file. */
static void put_line(timings_output *output, const allin1_span *span)
{
    if (output->descriptor < 0)
        return;
    char *text = allin1_span_json(span);
    if (!text) {
        lose(output, output->wishes.lines, "out of memory");
        return;
    }
    const size_t length = strlen(text);
    text[length] = '\n'; /* in place of the ending zero */
    for (size_t done = 0; done <= length;) {
        const ssize_t wrote = write(output->descriptor, text + done, length + 1 - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0) {
            lose(output, output->wishes.lines, strerror(errno));
            break;
        }
        done += (size_t)wrote;
    }
    allin1_string_free(text);
}

void timings_output_span(void *user, const allin1_span *span)
{
    timings_output *output = user;
    put_line(output, span);
    allin1_timings_add(output->timings, span);
}

static void put_line_fn(void *user, const allin1_span *span)
{
    put_line(user, span);
}

typedef allin1_status (*write_fn)(allin1_timings *timings, const char *path, allin1_error *error);

/* Writing about the timings takes time, too. */
static void put_document(timings_output *output, const char *path, const char *mode, write_fn fn)
{
    allin1_error error;
    if (!path)
        return;
    allin1_timings_begin(output->timings, ALLIN1_STAGE_REPORT, mode);
    if (fn(output->timings, path, &error) != ALLIN1_OK) {
        message_error("%s", error.message);
        output->lost = true;
    }
    allin1_timings_end(output->timings, put_line_fn, output);
}

static void put_summary(timings_output *output)
{
    char *text = allin1_timings_summary(output->timings);
    if (text && *text) {
        text[strlen(text) - 1] = '\0'; /* the last line's end, which a message has anyway */
        message_plain("%s", text);
    } else {
        message_error("out of memory for the timings' table");
        output->lost = true;
    }
    allin1_string_free(text);
}

static allin1_status save_figure(allin1_timings *timings, const char *path, allin1_error *error)
{
    return allin1_timings_save_figure(timings, path, error);
}

static void report(timings_output *output)
{
    put_document(output, output->wishes.trace, "trace", allin1_timings_save_trace);
    put_document(output, output->wishes.figure, "figure", save_figure);
    put_document(output, output->wishes.json, "json", allin1_timings_save_json);
    put_line(output, allin1_timings_total(output->timings, 1));
    if (output->wishes.summary)
        put_summary(output);
}

bool timings_output_finish(timings_output *output)
{
    size_t spans = 0;
    if (output->timings)
        allin1_timings_spans(output->timings, &spans);
    if (spans > 0)
        report(output);
    if (output->timings && allin1_timings_incomplete(output->timings)) {
        message_error("memory ran out for some of the timings");
        output->lost = true;
    }
    if (output->descriptor >= 0 && close(output->descriptor) != 0)
        lose(output, output->wishes.lines, strerror(errno));
    output->descriptor = -1;
    allin1_timings_free(&output->timings);
    return !output->lost;
}
