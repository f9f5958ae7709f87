/* An https server for tests: the openssl program, with a certificate made for the occasion. */
#ifndef TEST_SUPPORT_HTTPS_SERVER_H
#define TEST_SUPPORT_HTTPS_SERVER_H

#include <stddef.h>

/* Starts a server on a free port of this machine that answers a request for /NAME with what
 * https_serve put there. Needs a sandbox; skips the test when there is no openssl program. */
void https_start(void);
void https_stop(void);

/* What /NAME gives: a status line such as "200 OK", further header lines (each ended by CRLF; may
 * be
 * ""), and a body whose length is announced as `announced` bytes. */
void https_serve(const char *name, const char *status, const char *headers, const void *body,
                 size_t size, size_t announced);
void https_serve_file(const char *name, const void *body, size_t size);

/* "https://localhost:PORT/NAME" in static storage that three further calls leave alone. */
const char *https_url(const char *name);
/* The certificate to trust. */
const char *https_ca_file(void);

#endif
