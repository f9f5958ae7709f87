#include "weights/download.h"

#include <allin1/version.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/shared_library.h"

#define CONNECT_SECONDS 8L
#define STALL_SECONDS 30L
#define STALL_BYTES_PER_SECOND 500L
#define MAX_REDIRECTIONS 8L

#define CURL_CALLS(X)                                                                              \
    X(curl_easy_cleanup)                                                                           \
    X(curl_easy_init)                                                                              \
    X(curl_easy_perform)                                                                           \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_strerror)

/* Loaded when something is first downloaded. Its headers do not tell the major version of the
 * library, which has been 4 since 2006. */
static struct curl_calls {
    CURL_CALLS(A1_SHARED_MEMBER)
} libcurl;

#define A1_SHARED_TABLE struct curl_calls
static const a1_shared_function curl_functions[] = {CURL_CALLS(A1_SHARED_FUNCTION)};
static const a1_shared_library curl_library = {A1_SHARED_FILE("curl", "4"), A1_CURL_FOLDER,
                                               curl_functions,
                                               sizeof curl_functions / sizeof *curl_functions};
static a1_shared_group curl_group = {.what = "libcurl",
                                     .libraries = &curl_library,
                                     .count = 1,
                                     .table = &libcurl,
                                     .lock = PTHREAD_MUTEX_INITIALIZER};

typedef struct transfer {
    const a1_download *download;
    FILE *file;
    uint64_t written;
    bool too_long, write_failed, cancelled;
    int reason; /* errno of the write */
} transfer;

static size_t on_data(char *data, size_t size, size_t count, void *user)
{
    transfer *t = user;
    const size_t bytes = size * count;
    if (bytes > t->download->max_bytes - t->written) {
        t->too_long = true;
        return 0;
    }
    if (fwrite(data, 1, bytes, t->file) != bytes) {
        t->write_failed = true;
        t->reason = errno;
        return 0;
    }
    t->written += bytes;
    return bytes;
}

static int on_progress(void *user, curl_off_t total, curl_off_t done, curl_off_t up_total,
                       curl_off_t up_done)
{
    transfer *t = user;
    (void)up_total;
    (void)up_done;
    if (!t->download->progress)
        return 0;
    t->cancelled =
        t->download->progress(t->download->user, t->download->what, done > 0 ? (uint64_t)done : 0,
                              total > 0 ? (uint64_t)total : 0) != 0;
    return t->cancelled;
}

/* CURLE_OK, or the first option that libcurl refused. */
static CURLcode configure(CURL *curl, const a1_download *d, transfer *t, char *reason)
{
    CURLcode code = CURLE_OK;
/* In brackets, as libcurl's header has a macro of that name. */
#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (code == CURLE_OK)                                                                      \
            code = (libcurl.curl_easy_setopt)(curl, option, value);                                \
    } while (0)
    SET(CURLOPT_ERRORBUFFER, reason);
    SET(CURLOPT_URL, d->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    SET(CURLOPT_PROTOCOLS_STR, "https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
    SET(CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTPS);
    SET(CURLOPT_REDIR_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, MAX_REDIRECTIONS);
    SET(CURLOPT_FAILONERROR, 1L);
    SET(CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    SET(CURLOPT_LOW_SPEED_LIMIT, STALL_BYTES_PER_SECOND);
    SET(CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
    SET(CURLOPT_NOSIGNAL, 1L); /* signals belong to the program that uses this library */
    SET(CURLOPT_USERAGENT, "allin1/" ALLIN1_VERSION_STRING);
    SET(CURLOPT_WRITEFUNCTION, on_data);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_XFERINFOFUNCTION, on_progress);
    SET(CURLOPT_XFERINFODATA, t);
    SET(CURLOPT_NOPROGRESS, 0L);
    if (d->ca_file)
        SET(CURLOPT_CAINFO, d->ca_file);
#undef SET
    return code;
}

allin1_status a1_download_file(const a1_download *d, bool *unreachable, a1_error *err)
{
    char reason[CURL_ERROR_SIZE] = "";
    transfer t = {.download = d};
    allin1_status status = ALLIN1_OK;
    *unreachable = false;
    A1_TRY(a1_shared_load(&curl_group, err));
    t.file = fopen(d->path, "wbe");
    if (!t.file)
        return a1_fail(err, ALLIN1_ERROR_IO, "%s cannot be written: %s", d->path, strerror(errno));
    CURL *curl = libcurl.curl_easy_init();
    CURLcode code = curl ? configure(curl, d, &t, reason) : CURLE_FAILED_INIT;
    if (code == CURLE_OK)
        code = libcurl.curl_easy_perform(curl);
    libcurl.curl_easy_cleanup(curl);
    if (fclose(t.file) != 0 && code == CURLE_OK) {
        t.write_failed = true;
        t.reason = errno;
    }
    if (t.cancelled)
        status = a1_fail(err, ALLIN1_ERROR_CANCELLED, "the download was cancelled");
    else if (t.write_failed)
        status =
            a1_fail(err, ALLIN1_ERROR_IO, "%s cannot be written: %s", d->path, strerror(t.reason));
    else if (t.too_long)
        status = a1_fail(err, ALLIN1_ERROR_DOWNLOAD, "%s: more than the expected %llu bytes came",
                         d->url, (unsigned long long)d->max_bytes);
    else if (code != CURLE_OK)
        status = a1_fail(err, ALLIN1_ERROR_DOWNLOAD, "%s: %s", d->url,
                         *reason ? reason : libcurl.curl_easy_strerror(code));
    if (status != ALLIN1_OK)
        unlink(d->path);
    *unreachable = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY ||
                   code == CURLE_COULDNT_CONNECT ||
                   (code == CURLE_OPERATION_TIMEDOUT && t.written == 0);
    return status;
}
