/* A result as a page for a browser, and many as an index. */
#ifndef A1_PAGE_PAGE_H
#define A1_PAGE_PAGE_H

#include <allin1/allin1.h>

#include "base/error.h"
#include "page/html_text.h"

typedef struct a1_page {
    const allin1_result *result;
    const allin1_waveform *waveform; /* NULL: none is drawn */
    const char *name;                /* of the song, UTF-8 */
    const unsigned char *sound;      /* embedded; NULL: none */
    size_t sound_size;
    const char *sound_type; /* "audio/ogg" */
    const char *sound_link; /* relative address of the sound instead; NULL: none */
    const char *mark;
} a1_page;

/* One HTML document; a1_html_free it in any case. */
allin1_status a1_page_write(const a1_page *page, a1_html *text, a1_error *err);

/* A song of an index: the row, ready to be put into the table. */
void a1_index_row(a1_html *rows, const allin1_result *result, const char *name, const char *link);

allin1_status a1_index_write(const char *rows, size_t songs, const char *mark, a1_html *text,
                             a1_error *err);

/* A relative address from the folder `from` to the file `to`, both absolute, percent-encoded. */
void a1_put_relative_link(a1_html *text, const char *from, const char *to);

#endif
