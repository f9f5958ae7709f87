/* terminal_svg: what a terminal would show of the colours on standard input, as SVG on standard output.
 * Understands what `allin1 show --color always` writes: 256 colours, bold, and their end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL_WIDTH 8.4
#define CELL_HEIGHT 19
#define MARGIN 14
#define COLUMNS 90

typedef struct pen {
    int back, text; /* of the 256 colours; -1: the terminal's own */
    int bold;
} pen;

static unsigned colour_of(int index)
{
    static const unsigned steps[] = {0, 95, 135, 175, 215, 255};
    if (index >= 232)
        return 0x010101u * (unsigned)(8 + 10 * (index - 232));
    if (index < 16)
        return 0x808080;
    index -= 16;
    return steps[index / 36] << 16 | steps[index / 6 % 6] << 8 | steps[index % 6];
}

static void apply(pen *p, const char *codes)
{
    int background, foreground;
    if (sscanf(codes, "48;5;%d;38;5;%d", &background, &foreground) == 2) {
        p->back = background & 255;
        p->text = foreground & 255;
    } else if (sscanf(codes, "48;5;%d", &background) == 1) {
        p->back = background & 255;
    } else if (strncmp(codes, "1m", 2) == 0) {
        p->bold = 1;
    } else {
        *p = (pen){-1, -1, 0};
    }
}

static void put_word(const pen *p, const char *text, size_t size, double x, double y)
{
    printf("<text x=\"%.1f\" y=\"%.1f\" textLength=\"%.1f\" fill=\"#%06x\"%s>", x, y + 14,
           (double)size * CELL_WIDTH, p->text >= 0 ? colour_of(p->text) : 0xe6e6e6u,
           p->bold ? " font-weight=\"bold\"" : "");
    for (size_t i = 0; i < size; i++)
        if (strchr("<>&", text[i]))
            printf("&#%d;", text[i]);
        else
            putchar(text[i]);
    puts("</text>");
}

/* One piece of a line in one style. */
static void put_piece(const pen *p, const char *text, size_t size, int row, int column)
{
    const double x = MARGIN + column * CELL_WIDTH, y = MARGIN + row * CELL_HEIGHT;
    if (p->back >= 0)
        printf("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"#%06x\"/>\n", x, y,
               (double)size * CELL_WIDTH, CELL_HEIGHT, colour_of(p->back));
    /* Word by word: renderers fold blanks. */
    for (size_t at = 0; at < size;) {
        const size_t length = strcspn(text + at, " \033\n");
        const size_t word = at + length > size ? size - at : length;
        if (word > 0)
            put_word(p, text + at, word, x + (double)at * CELL_WIDTH, y);
        at += word > 0 ? word : 1;
    }
}

static void put_line(pen *p, const char *line, int row)
{
    int column = 0;
    while (*line && *line != '\n') {
        const size_t size = strcspn(line, "\033\n");
        if (size > 0)
            put_piece(p, line, size, row, column);
        column += (int)size;
        line += size;
        if (line[0] == '\033' && line[1] == '[') {
            apply(p, line + 2);
            line += strcspn(line, "m");
            line += *line == 'm';
        } else if (*line == '\033') {
            line++;
        }
    }
}

int main(void)
{
    static char lines[200][4096];
    int count = 0;
    while (count < 200 && fgets(lines[count], sizeof lines[count], stdin))
        count++;
    const int width = 2 * MARGIN + (int)(COLUMNS * CELL_WIDTH);
    const int height = 2 * MARGIN + count * CELL_HEIGHT;
    printf("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
           "font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"14\">\n<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#1c1f25\"/>\n",
           width, height, width, height);
    pen p = {-1, -1, 0};
    for (int i = 0; i < count; i++)
        put_line(&p, lines[i], i);
    puts("</svg>");
    return 0;
}
