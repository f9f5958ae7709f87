/* One colour for each kind of section, the same in figures and pages. */
#ifndef A1_PLOT_LABEL_STYLE_H
#define A1_PLOT_LABEL_STYLE_H

#include <stdint.h>

/* 0xRRGGBB. The hues of Okabe and Ito, which colour-blind people tell apart, and two of Paul Tol's
 * kind; their lightness differs too, for grey prints. A label that is not known is grey. */
uint32_t a1_label_colour(const char *label);

/* Black or white (0xRRGGBB), whichever is read better on this colour: WCAG's contrast. */
uint32_t a1_text_colour_on(uint32_t colour);

/* WCAG's contrast of two colours, 1 to 21. */
double a1_contrast(uint32_t a, uint32_t b);

#endif
