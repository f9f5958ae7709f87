#include "audio/container.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No honest file has more chunks or boxes than this on the levels that are walked; a hostile one
 * could have millions, each costing a system call. */
#define MAX_STEPS 4096

typedef struct reader {
    int file;
    int64_t start; /* all other offsets count from here */
    int64_t size;
    int steps;
} reader;

/* False unless all `count` bytes are there. */
static bool read_at(const reader *r, int64_t offset, void *bytes, size_t count)
{
    if (offset < 0 || offset > r->size || (int64_t)count > r->size - offset)
        return false;
    for (size_t done = 0; done < count;) {
        const ssize_t got = pread(r->file, (char *)bytes + done, count - done,
                                  (off_t)(r->start + offset + (int64_t)done));
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static uint32_t be32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint32_t le32(const uint8_t *b)
{
    return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

static uint64_t be64(const uint8_t *b)
{
    return (uint64_t)be32(b) << 32 | be32(b + 4);
}

static uint64_t le64(const uint8_t *b)
{
    return (uint64_t)le32(b + 4) << 32 | le32(b);
}

static bool beyond(const reader *r, int64_t start, uint64_t length)
{
    return length > (uint64_t)(r->size - start);
}

/* RIFF, RF64 and BW64: does the sample data end after the file does? */
static bool wav_is_cut(reader *r)
{
    uint8_t b[24];
    if (!read_at(r, 0, b, 12) ||
        (memcmp(b, "RIFF", 4) != 0 && memcmp(b, "RF64", 4) != 0 && memcmp(b, "BW64", 4) != 0))
        return false;
    uint64_t data64 = 0;
    bool large = false;
    int64_t at = 12;
    while (r->steps++ < MAX_STEPS && read_at(r, at, b, 8)) {
        uint64_t length = le32(b + 4);
        const int64_t body = at + 8;
        if (memcmp(b, "ds64", 4) == 0) {
            if (!read_at(r, body, b, 16))
                return true;
            data64 = le64(b + 8);
            large = true;
        } else if (memcmp(b, "data", 4) == 0) {
            if (large && length == UINT32_MAX)
                length = data64;
            else if (length >= 0x7ffff000u) /* what programs write that do not know the length */
                return false;
            return beyond(r, body, length);
        }
        if (beyond(r, body, length))
            return true;
        at = body + (int64_t)(length + (length & 1));
    }
    return false;
}

static bool aiff_is_cut(reader *r)
{
    uint8_t b[12];
    return read_at(r, 0, b, 12) && memcmp(b, "FORM", 4) == 0 && be32(b + 4) < 0x7ffff000u &&
           beyond(r, 8, be32(b + 4));
}

/* Sony Wave64: RIFF with 64-bit sizes, which count their own header. */
static bool w64_is_cut(const reader *r)
{
    uint8_t b[24];
    return read_at(r, 0, b, 24) && memcmp(b, "riff", 4) == 0 && le64(b + 16) < INT64_MAX &&
           beyond(r, 0, le64(b + 16));
}

/* Core Audio Format: chunks with signed 64-bit sizes; -1 runs to the end of the file. */
static bool caf_is_cut(reader *r)
{
    uint8_t b[12];
    int64_t at = 8;
    while (r->steps++ < MAX_STEPS && read_at(r, at, b, 12)) {
        const uint64_t length = be64(b + 4);
        if (length == UINT64_MAX)
            return false;
        if (beyond(r, at + 12, length))
            return true;
        at += 12 + (int64_t)length;
    }
    return false;
}

/* The last page must be whole and marked as the end of its stream. */
static bool ogg_is_cut(const reader *r)
{
    enum { tail_size = 65307 + 4096 }; /* the largest page, and some rubbish after it */
    const size_t count = r->size < tail_size ? (size_t)r->size : tail_size;
    uint8_t *tail = malloc(count + 1);
    if (!tail || !read_at(r, r->size - (int64_t)count, tail, count)) {
        free(tail);
        return false;
    }
    bool cut = false;
    for (size_t at = count; at-- > 0;) {
        if (count - at < 4 || memcmp(tail + at, "OggS", 4) != 0)
            continue;
        const size_t left = count - at;
        size_t page = 27;
        if (left >= 27)
            page += tail[at + 26];
        if (left >= page && left >= 27)
            for (size_t segment = 0; segment < tail[at + 26]; segment++)
                page += tail[at + 27 + segment];
        cut = left < page || !(tail[at + 5] & 4);
        break;
    }
    free(tail);
    return cut;
}

/* An ISO box at `at`, below `end`. Its body is [body, next). */
typedef struct box {
    char type[4];
    int64_t body, next;
    bool cut; /* it claims bytes beyond `end`; next is then `end` */
} box;

static bool read_box(reader *r, int64_t at, int64_t end, box *found)
{
    uint8_t b[16];
    if (r->steps++ >= MAX_STEPS || end - at < 8 || !read_at(r, at, b, 8))
        return false;
    uint64_t length = be32(b);
    int64_t header = 8;
    if (length == 1) {
        if (!read_at(r, at, b, 16))
            return false;
        length = be64(b + 8);
        header = 16;
    } else if (length == 0) {
        length = (uint64_t)(end - at);
    }
    if (length < (uint64_t)header)
        return false;
    memcpy(found->type, b + 4, 4);
    found->body = at + header;
    found->cut = length > (uint64_t)(end - at);
    found->next = found->cut ? end : at + (int64_t)length;
    return found->body <= found->next;
}

/* The first box of a type inside [at, end). */
static bool find_box(reader *r, int64_t at, int64_t end, const char *type, box *found)
{
    while (read_box(r, at, end, found)) {
        if (memcmp(found->type, type, 4) == 0)
            return true;
        at = found->next;
    }
    return false;
}

/* The time scale and duration of an mvhd or mdhd box. */
static bool read_header_box(reader *r, const box *b, uint64_t *scale, uint64_t *duration)
{
    uint8_t bytes[32];
    const size_t count = b->next - b->body >= 32 ? 32 : 20;
    if (b->next - b->body < 20 || !read_at(r, b->body, bytes, count))
        return false;
    if (bytes[0] == 1 && count < 32)
        return false;
    *scale = be32(bytes + (bytes[0] == 1 ? 20 : 12));
    *duration = bytes[0] == 1 ? be64(bytes + 24) : be32(bytes + 16);
    return *scale > 0 && *duration > 0 && *duration < INT64_MAX / 4;
}

static bool read_track_number(reader *r, const box *track, uint32_t *number)
{
    box header;
    uint8_t b[24];
    if (!find_box(r, track->body, track->next, "tkhd", &header) || header.next - header.body < 24 ||
        !read_at(r, header.body, b, 24))
        return false;
    *number = be32(b + (b[0] == 1 ? 20 : 12));
    return true;
}

/* The only edit that shows media: its duration in movie units and where it starts in the media. */
static bool read_edit(reader *r, const box *track, uint64_t *duration, uint64_t *start)
{
    box edits, list;
    uint8_t b[20];
    if (!find_box(r, track->body, track->next, "edts", &edits) ||
        !find_box(r, edits.body, edits.next, "elst", &list) || !read_at(r, list.body, b, 8))
        return false;
    const bool wide = b[0] == 1;
    const uint32_t count = be32(b + 4);
    bool found = false;
    for (uint32_t i = 0; i < count && i < 8; i++) {
        const int64_t at = list.body + 8 + (int64_t)i * (wide ? 20 : 12);
        if (at + (wide ? 20 : 12) > list.next || !read_at(r, at, b, wide ? 20 : 12))
            return false;
        const uint64_t media = wide ? be64(b + 8) : be32(b + 4);
        if (media == (wide ? UINT64_MAX : UINT32_MAX)) /* an empty edit */
            continue;
        if (found)
            return false;
        found = true;
        *duration = wide ? be64(b) : be32(b);
        *start = media;
    }
    return found && count <= 8 && *duration < INT64_MAX / 4 && *start < INT64_MAX / 4;
}

/* The track's own length is exact and counts from the encoder's delay on; the edit that removes the
 * delay is written in the movie's coarser units, so it decides only where it differs by more. */
static void inspect_track(reader *r, const box *movie, int wanted, a1_container_facts *facts)
{
    box header, track, media, media_header, fragments;
    uint64_t movie_scale, movie_length, scale, length, edit_length = 0, edit_start = 0;
    if (!find_box(r, movie->body, movie->next, "mvhd", &header) ||
        !read_header_box(r, &header, &movie_scale, &movie_length) ||
        find_box(r, movie->body, movie->next, "mvex", &fragments)) /* more follows elsewhere */
        return;
    int64_t at = movie->body;
    for (;;) {
        uint32_t number;
        if (!find_box(r, at, movie->next, "trak", &track))
            return;
        if (read_track_number(r, &track, &number) && number == (uint32_t)wanted)
            break;
        at = track.next;
    }
    if (!find_box(r, track.body, track.next, "mdia", &media) ||
        !find_box(r, media.body, media.next, "mdhd", &media_header) ||
        !read_header_box(r, &media_header, &scale, &length) ||
        !read_edit(r, &track, &edit_length, &edit_start) || edit_start >= length)
        return;
    const double tick = (double)scale / (double)movie_scale;
    const double edited = (double)edit_length * tick;
    const double rest = (double)(length - edit_start);
    if (edit_length == 0 || edited >= rest - tick)
        facts->length = (int64_t)(length - edit_start);
    else
        facts->length = (int64_t)(edited + 0.5);
    facts->delay = (int64_t)edit_start;
    facts->rate = (int64_t)scale;
}

static void inspect_mp4(reader *r, int track, a1_container_facts *facts)
{
    box found;
    for (int64_t at = 0; read_box(r, at, r->size, &found); at = found.next) {
        facts->cut |= found.cut;
        if (memcmp(found.type, "moov", 4) == 0) {
            reader inside = {.file = r->file, .start = r->start, .size = r->size};
            inspect_track(&inside, &found, track, facts);
        }
    }
}

/* An EBML number's length in bytes is told by its first one bit; 0 for none. */
static size_t ebml_width(uint8_t first)
{
    size_t width = 1;
    while (width <= 8 && !(first & 0x80u >> (width - 1)))
        width++;
    return width <= 8 ? width : 0;
}

static bool matroska_is_cut(reader *r)
{
    int64_t at = 0;
    while (r->steps++ < MAX_STEPS) {
        uint8_t b[12] = {0};
        const int64_t left = r->size - at;
        if (left < 2 || !read_at(r, at, b, left < 12 ? (size_t)left : 12))
            return false;
        const size_t id = ebml_width(b[0]);
        if (id == 0 || id > 4)
            return false;
        const size_t width = ebml_width(b[id]);
        if (width == 0 || left < (int64_t)(id + width))
            return false;
        uint64_t length = b[id] & (0xffu >> width), unknown = 0xffu >> width;
        for (size_t i = 1; i < width; i++) {
            length = length << 8 | b[id + i];
            unknown = unknown << 8 | 0xff;
        }
        if (length == unknown)
            return false;
        const int64_t body = at + (int64_t)(id + width);
        if (beyond(r, body, length))
            return true;
        at = body + (int64_t)length;
    }
    return false;
}

a1_container_facts a1_container_inspect(int file, int64_t start, int64_t size, const char *format,
                                        int track)
{
    a1_container_facts facts = {.length = -1};
    reader r = {.file = file, .start = start, .size = size};
    if (strcmp(format, "wav") == 0)
        facts.cut = wav_is_cut(&r);
    else if (strcmp(format, "w64") == 0)
        facts.cut = w64_is_cut(&r);
    else if (strcmp(format, "caf") == 0)
        facts.cut = caf_is_cut(&r);
    else if (strcmp(format, "aiff") == 0)
        facts.cut = aiff_is_cut(&r);
    else if (strcmp(format, "ogg") == 0)
        facts.cut = ogg_is_cut(&r);
    else if (strncmp(format, "mov,", 4) == 0)
        inspect_mp4(&r, track, &facts);
    else if (strncmp(format, "matroska", 8) == 0)
        facts.cut = matroska_is_cut(&r);
    return facts;
}
