#include "output/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/file_hash.h"
#include "output/output_file.h"

#define FIRST_LINE "allin1 by-product 1\n"
#define TEXT_ROOM 4096

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The text that a valid key file has to have, so that comparing is all the parsing there is. */
static allin1_status make_text(char text[TEXT_ROOM], const char *key, const char *const *files,
                               size_t count, a1_error *err)
{
    int used = snprintf(text, TEXT_ROOM, FIRST_LINE "%s\n", key);
    for (size_t i = 0; i < count; i++) {
        char digest[A1_SHA256_HEX];
        A1_TRY(a1_file_sha256(files[i], digest, err));
        used += snprintf(text + used, (size_t)(TEXT_ROOM - used), "%s %s\n", digest,
                         name_of(files[i]));
        if (used >= TEXT_ROOM)
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s: the name is too long", files[i]);
    }
    return ALLIN1_OK;
}

bool a1_key_file_fits(const char *path, const char *key, const char *const *files, size_t count,
                      char reason[256])
{
    char found[TEXT_ROOM] = "", expected[TEXT_ROOM];
    reason[0] = '\0';
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            snprintf(reason, 256, "the key file cannot be read: %s", strerror(errno));
        return false;
    }
    const ssize_t got = read(descriptor, found, sizeof found - 1);
    close(descriptor);
    if (got < 0) {
        snprintf(reason, 256, "the key file cannot be read: %s", strerror(errno));
        return false;
    }
    const size_t lead = strlen(FIRST_LINE);
    if (strncmp(found, FIRST_LINE, lead) != 0 || strncmp(found + lead, key, strlen(key)) != 0) {
        snprintf(reason, 256, "made from other content or with other settings");
        return false;
    }
    a1_error err;
    if (make_text(expected, key, files, count, &err) != ALLIN1_OK) {
        snprintf(reason, 256, "%.*s", 255, err.message);
        return false;
    }
    if (strcmp(found, expected) != 0) {
        snprintf(reason, 256, "changed since they were made");
        return false;
    }
    return true;
}

allin1_status a1_key_file_write(const char *path, const char *key, const char *const *files,
                                size_t count, a1_error *err)
{
    char text[TEXT_ROOM];
    A1_TRY(make_text(text, key, files, count, err));
    return a1_output_whole(path, text, strlen(text), err);
}
