/* The rules of the Chrome trace format that viewers rely on. */
#ifndef TEST_SUPPORT_TRACE_RULES_H
#define TEST_SUPPORT_TRACE_RULES_H

#include <stddef.h>

/* Fails the test unless the text is a trace: an object with an array "traceEvents"; each event an object
 * with a one-letter "ph" that is X or M, "name", whole numbers "pid" and "tid", and an object "args";
 * complete events with numbers "ts" and "dur" that are not negative and nest properly on their thread;
 * metadata events that name a process or a thread, each once; every thread that has events is named.
 * Returns how many complete events there are, and in *threads on how many threads. */
size_t trace_check(const char *text, size_t *threads);

#endif
