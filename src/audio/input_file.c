#include "audio/input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audio/ffmpeg.h"

#define BUFFER_SIZE 65536

static int read_file(void *opaque, uint8_t *bytes, int count)
{
    a1_input_file *input = opaque;
    ssize_t got;
    if (input->hidden)
        return AVERROR_EOF;
    do
        got = pread(input->file, bytes, (size_t)count, (off_t)(input->start + input->position));
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        if (!input->read_error)
            input->read_error = errno;
        return AVERROR(errno);
    }
    input->position += got;
    return got ? (int)got : AVERROR_EOF;
}

static int64_t seek_file(void *opaque, int64_t offset, int whence)
{
    a1_input_file *input = opaque;
    whence &= ~AVSEEK_FORCE;
    if (input->hidden && whence != SEEK_SET)
        return AVERROR(ENOSYS);
    if (whence == AVSEEK_SIZE)
        return input->size;
    const int64_t base = whence == SEEK_CUR   ? input->position
                         : whence == SEEK_END ? input->size
                                              : 0;
    if (offset > INT64_MAX - base || base + offset < 0)
        return AVERROR(EINVAL);
    return input->position = base + offset;
}

/* ID3v2 tags before the audio are passed over: nothing in them is needed, a cover may be megabytes,
 * and FFmpeg's reader of them prints, past every log offset, what it finds wrong. A tag that claims
 * more than the file holds loses its header only, and the decoder looks for audio behind it. */
static void pass_over_tags(a1_input_file *input)
{
    uint8_t b[10];
    for (int tags = 0; tags < 8 && input->size > 10; tags++) {
        if (pread(input->file, b, sizeof b, (off_t)input->start) != sizeof b ||
            memcmp(b, "ID3", 3) != 0 || b[3] == 0xff || b[4] == 0xff ||
            ((b[6] | b[7] | b[8] | b[9]) & 0x80))
            return;
        int64_t length = 10 + ((int64_t)b[6] << 21 | b[7] << 14 | b[8] << 7 | b[9]);
        if (b[5] & 0x10)
            length += 10; /* a footer */
        if (length >= input->size)
            length = 10;
        input->start += length;
        input->size -= length;
    }
}

/* FFmpeg limits packets to what is left of a file, and prints, past every log offset, when it does
 * so. An input whose size was unknown when it first asked is not limited, and not spoken of;
 * reading past the end of one ends in the same short packet. */
static void forgo_size_limits(a1_input_file *input)
{
    AVPacket *packet = a1_ff.av_packet_alloc();
    input->hidden = 1;
    if (packet)
        a1_ff.av_get_packet(input->io, packet, 5000001); /* FFmpeg asks from 5 MB on */
    a1_ff.av_packet_free(&packet);
    a1_ff.avio_seek(input->io, 0, SEEK_SET);
    input->hidden = 0;
}

static const char *kind(mode_t mode)
{
    return S_ISDIR(mode)    ? "a directory"
           : S_ISFIFO(mode) ? "a pipe"
           : S_ISSOCK(mode) ? "a socket"
                            : "a device";
}

allin1_status a1_input_open(a1_input_file *input, const char *path, a1_error *err)
{
    *input = (a1_input_file){.file = -1};
    /* Looking before opening, as opening a device may already do something. */
    struct stat info;
    if (stat(path, &info) != 0)
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, strerror(errno));
    if (S_ISREG(info.st_mode)) {
        input->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (input->file < 0 || fstat(input->file, &info) != 0)
            return a1_fail(err, ALLIN1_ERROR_IO, "%s: cannot be opened: %s", path, strerror(errno));
    }
    if (!S_ISREG(info.st_mode))
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: is %s, not a regular file", path,
                       kind(info.st_mode));
    if (info.st_size == 0)
        return a1_fail(err, ALLIN1_ERROR_AUDIO, "%s: the file is empty", path);
    input->size = info.st_size;
    pass_over_tags(input);
    unsigned char *buffer = a1_ff.av_malloc(BUFFER_SIZE);
    if (buffer)
        input->io =
            a1_ff.avio_alloc_context(buffer, BUFFER_SIZE, 0, input, read_file, NULL, seek_file);
    if (!input->io) {
        a1_ff.av_free(buffer);
        return a1_fail_memory(err, "reading an audio file");
    }
    forgo_size_limits(input);
    return ALLIN1_OK;
}

void a1_input_close(a1_input_file *input)
{
    if (input->io)
        a1_ff.av_freep(&input->io->buffer); /* FFmpeg may have replaced the buffer */
    a1_ff.avio_context_free(&input->io);
    if (input->file >= 0)
        close(input->file);
    input->file = -1;
}
