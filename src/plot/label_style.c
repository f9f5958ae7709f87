#include "plot/label_style.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *label;
    uint32_t colour;
} styles[] = {
    {"intro", 0x56b4e9},  {"verse", 0x0072b2}, {"chorus", 0xd55e00}, {"bridge", 0xf0e442},
    {"inst", 0x009e73},   {"solo", 0xcc79a7},  {"break", 0xe6a532},  {"outro", 0x7b4173},
    {"start", 0xbfbfbf},  {"end", 0xbfbfbf},
};

uint32_t a1_label_colour(const char *label)
{
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
        if (strcmp(styles[i].label, label) == 0)
            return styles[i].colour;
    return 0x8c8c8c;
}

static double channel_light(uint32_t value)
{
    const double share = value / 255.0;
    return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4);
}

static double luminance(uint32_t colour)
{
    return 0.2126 * channel_light(colour >> 16 & 255) + 0.7152 * channel_light(colour >> 8 & 255) +
           0.0722 * channel_light(colour & 255);
}

double a1_contrast(uint32_t a, uint32_t b)
{
    const double x = luminance(a), y = luminance(b);
    return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

uint32_t a1_text_colour_on(uint32_t colour)
{
    return a1_contrast(colour, 0x000000) >= a1_contrast(colour, 0xffffff) ? 0x000000 : 0xffffff;
}
