#include "timings/interned.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64

static uint64_t mix(uint64_t h)
{
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdu;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

static uint64_t hash_text(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return mix(h);
}

static uint32_t *find_slot(const a1_interned *strings, const char *text)
{
    const uint32_t mask = strings->slot_count - 1;
    uint32_t at = (uint32_t)hash_text(text) & mask;
    while (strings->slots[at] && strcmp(strings->texts[strings->slots[at]], text) != 0)
        at = (at + 1) & mask;
    return &strings->slots[at];
}

static bool grow(a1_interned *strings)
{
    const uint32_t slot_count = strings->slot_count ? 2 * strings->slot_count : FIRST_SLOTS;
    uint32_t *slots = calloc(slot_count, sizeof *slots);
    char **texts = realloc(strings->texts, slot_count / 2 * sizeof *texts);
    if (texts) {
        strings->texts = texts;
        strings->capacity = slot_count / 2;
    }
    if (!slots || !texts) {
        free(slots);
        return false;
    }
    free(strings->slots);
    strings->slots = slots;
    strings->slot_count = slot_count;
    if (strings->count == 0)
        strings->texts[strings->count++] = NULL;
    for (uint32_t i = 1; i < strings->count; i++)
        *find_slot(strings, strings->texts[i]) = i;
    return true;
}

/* Length of a character that could move the cursor or turn the text after it: a control character
 * of ASCII or Latin-1, or a mark of direction (U+061C, U+200E, U+200F, U+2028..202E, U+2066..2069).
 */
static size_t unsafe_length(const unsigned char *s)
{
    if (s[0] < 0x20 || s[0] == 0x7f)
        return 1;
    if ((s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0) || (s[0] == 0xd8 && s[1] == 0x9c))
        return 2;
    if (s[0] == 0xe2 && s[1] == 0x80 &&
        (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae)))
        return 3;
    if (s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9)
        return 3;
    return 0;
}

/* The text as it is kept, in `out` of A1_INTERNED_LIMIT + 1 bytes. */
static void clean(char *out, const char *text)
{
    size_t used = 0;
    while (*text && used < A1_INTERNED_LIMIT) {
        const size_t unsafe = unsafe_length((const unsigned char *)text);
        out[used++] = unsafe ? '?' : *text;
        text += unsafe ? unsafe : 1;
    }
    /* Not in the middle of a UTF-8 character. */
    if (*text)
        while (used > 0 && ((unsigned char)*text & 0xc0) == 0x80) {
            text--;
            used--;
        }
    out[used] = '\0';
}

bool a1_intern(a1_interned *strings, const char *text, uint32_t *number)
{
    char kept[A1_INTERNED_LIMIT + 1];
    *number = 0;
    if (!text)
        return true;
    clean(kept, text);
    if ((strings->slot_count == 0 || strings->count >= strings->capacity) && !grow(strings))
        return false;
    uint32_t *slot = find_slot(strings, kept);
    if (!*slot) {
        char *copy = strdup(kept);
        if (!copy)
            return false;
        strings->texts[strings->count] = copy;
        *slot = strings->count++;
    }
    *number = *slot;
    return true;
}

uint32_t a1_interned_find(const a1_interned *strings, const char *text)
{
    return strings->slot_count ? *find_slot(strings, text) : 0;
}

const char *a1_interned_text(const a1_interned *strings, uint32_t number)
{
    return number > 0 && number < strings->count ? strings->texts[number] : "";
}

void a1_interned_free(a1_interned *strings)
{
    for (uint32_t i = 1; i < strings->count; i++)
        free(strings->texts[i]);
    free(strings->texts);
    free(strings->slots);
    *strings = (a1_interned){0};
}

/* Pairs ------------------------------------------------------------------------------------------
 */

static size_t pair_slot(const a1_pair_map *map, uint64_t key)
{
    size_t at = (size_t)mix(key) & (map->slot_count - 1);
    while (map->values[at] && map->keys[at] != key)
        at = (at + 1) & (map->slot_count - 1);
    return at;
}

uint32_t a1_pair_find(const a1_pair_map *map, uint64_t key)
{
    return map->slot_count ? map->values[pair_slot(map, key)] : 0;
}

static bool grow_pairs(a1_pair_map *map)
{
    a1_pair_map larger = {.slot_count = map->slot_count ? 2 * map->slot_count : FIRST_SLOTS};
    larger.keys = malloc(larger.slot_count * sizeof *larger.keys);
    larger.values = calloc(larger.slot_count, sizeof *larger.values);
    if (!larger.keys || !larger.values) {
        a1_pair_free(&larger);
        return false;
    }
    for (size_t i = 0; i < map->slot_count; i++) {
        if (!map->values[i])
            continue;
        const size_t at = pair_slot(&larger, map->keys[i]);
        larger.keys[at] = map->keys[i];
        larger.values[at] = map->values[i];
    }
    larger.used = map->used;
    a1_pair_free(map);
    *map = larger;
    return true;
}

bool a1_pair_set(a1_pair_map *map, uint64_t key, uint32_t value)
{
    if (2 * map->used >= map->slot_count && !grow_pairs(map))
        return false;
    const size_t at = pair_slot(map, key);
    map->used += !map->values[at];
    map->keys[at] = key;
    map->values[at] = value;
    return true;
}

void a1_pair_free(a1_pair_map *map)
{
    free(map->keys);
    free(map->values);
    *map = (a1_pair_map){0};
}
