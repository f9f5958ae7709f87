/* The labels of the Harmonix Set as the ten of the networks. The set has some 130 spellings; the networks'
 * authors publish the ten but not the way to them. What a function is called elsewhere follows the
 * reduction of Wang, Hung and Smith (ICASSP 2022), with break, inst and solo kept apart. */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include <allin1/evaluation.h>

typedef struct rule {
    const char *part; /* of the label */
    bool whole;       /* the label is just that */
    const char *meaning;
} rule;

/* The first that fits holds: what a section leads up to, and what is said of one, come before the names
 * that they contain. */
static const rule rules[] = {
    {"start", true, "start"},        {"end", true, "end"},
    {"prechorus", false, "verse"},   {"preverse", false, "verse"},
    {"guitarsolo", false, "solo"},   {"bridge", false, "bridge"},
    {"chorus", false, "chorus"},     {"refrain", false, "chorus"},
    {"stutter", false, "chorus"},    {"theme", false, "chorus"},
    {"verse", false, "verse"},       {"rap", false, "verse"},
    {"section", false, "verse"},     {"slow", false, "verse"},
    {"fast", true, "verse"},         {"quiet", true, "verse"},
    {"build", false, "verse"},       {"intro", false, "intro"},
    {"fadein", false, "intro"},      {"opening", false, "intro"},
    {"transition", false, "bridge"}, {"outro", false, "outro"},
    {"coda", true, "outro"},         {"ending", false, "outro"},
    {"fadeout", false, "outro"},     {"break", false, "break"},
    {"bre", true, "break"},          {"drumroll", false, "break"},
    {"solo", false, "solo"},         {"sax", false, "solo"},
    {"inst", false, "inst"},         {"interlude", false, "inst"},
    {"gtr", false, "inst"},          {"guitar", false, "inst"},
    {"synth", false, "inst"},        {"riff", false, "inst"},
};

#define LONGEST 64

/* Small letters without blanks, hyphens, underscores, and without what a number begins at the end. */
static void normalise(const char *label, char out[LONGEST])
{
    size_t used = 0;
    for (; *label && used + 1 < LONGEST; label++) {
        const unsigned char c = (unsigned char)*label;
        if (isdigit(c) && used > 0)
            break;
        if (!strchr(" -_\t", c))
            out[used++] = (char)(c < 0x80 ? tolower(c) : c);
    }
    out[used] = '\0';
}

const char *allin1_harmonix_label(const char *label, int first)
{
    char plain[LONGEST];
    if (!label)
        return NULL;
    normalise(label, plain);
    if (strncmp(plain, "silence", strlen("silence")) == 0)
        return first ? "start" : "end";
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].whole ? strcmp(plain, rules[i].part) == 0
                           : strstr(plain, rules[i].part) != NULL)
            return rules[i].meaning;
    return NULL;
}
