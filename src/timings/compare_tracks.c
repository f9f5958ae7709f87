/* Which track of one file is which of the other. */
#include "timings/comparison.h"

#include <stdlib.h>
#include <string.h>

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* Numbers the names of one side in `names`: group[track] is the name's number. False when memory
 * ran out; *unique tells whether no two tracks have the same. */
static bool number_tracks(const allin1_timing_records *t, bool by_path, a1_interned *names,
                          uint32_t *group, bool *unique)
{
    a1_pair_map taken = {0};
    bool good = true;
    memset(group, 0, (t->strings.count + 1) * sizeof *group);
    for (size_t i = 0; good && i < t->count; i++) {
        const uint32_t track = t->records[i].track;
        if (!track || group[track])
            continue;
        const char *text = a1_timings_text(t, track);
        good = a1_intern(names, by_path ? text : file_name(text), &group[track]);
        if (good && a1_pair_find(&taken, group[track]))
            *unique = false;
        good = good && a1_pair_set(&taken, group[track], 1);
    }
    a1_pair_free(&taken);
    return good;
}

/* Clears the groups that only one side has; the number of those that are left. */
static bool keep_common(a1_comparison *c, uint32_t names, size_t *common)
{
    unsigned char *sides = calloc((size_t)names + 1, 1);
    if (!sides)
        return false;
    const uint32_t before = c->before->strings.count, after = c->after->strings.count;
    for (uint32_t i = 0; i < before; i++)
        sides[c->before_group[i]] |= 1;
    for (uint32_t i = 0; i < after; i++)
        sides[c->after_group[i]] |= 2;
    *common = 0;
    for (uint32_t i = 1; i <= names; i++)
        *common += sides[i] == 3;
    for (uint32_t i = 0; i < before; i++)
        if (sides[c->before_group[i]] != 3)
            c->before_group[i] = 0;
    for (uint32_t i = 0; i < after; i++)
        if (sides[c->after_group[i]] != 3)
            c->after_group[i] = 0;
    free(sides);
    return true;
}

static bool match(a1_comparison *c, bool by_path, size_t *common)
{
    a1_interned names = {0};
    bool unique = true;
    *common = 0;
    bool good = number_tracks(c->before, by_path, &names, c->before_group, &unique) &&
                number_tracks(c->after, by_path, &names, c->after_group, &unique);
    if (good && unique)
        good = keep_common(c, names.count, common);
    a1_interned_free(&names);
    return good;
}

static void put_all_in_one(const allin1_timing_records *t, uint32_t *group)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->records[i].track)
            group[t->records[i].track] = 1;
}

allin1_status a1_compare_tracks(a1_comparison *c, a1_error *err)
{
    c->before_group =
        a1_comparison_alloc(c, ((size_t)c->before->strings.count + 1) * sizeof *c->before_group);
    c->after_group =
        a1_comparison_alloc(c, ((size_t)c->after->strings.count + 1) * sizeof *c->after_group);
    if (!c->before_group || !c->after_group)
        return a1_fail_memory(err, "a comparison");
    c->match = A1_TRACKS_BY_PATH;
    if (!match(c, true, &c->tracks_compared))
        return a1_fail_memory(err, "a comparison");
    if (c->tracks_compared > 0 || c->before->track_count == 0 || c->after->track_count == 0)
        return ALLIN1_OK;
    c->match = A1_TRACKS_BY_NAME;
    if (!match(c, false, &c->tracks_compared))
        return a1_fail_memory(err, "a comparison");
    if (c->tracks_compared > 0)
        return ALLIN1_OK;
    const bool one_each = c->before->track_count == 1 && c->after->track_count == 1;
    c->match = one_each ? A1_TRACKS_ONE_EACH : A1_TRACKS_DIFFER;
    c->tracks_compared = 1;
    put_all_in_one(c->before, c->before_group);
    put_all_in_one(c->after, c->after_group);
    return ALLIN1_OK;
}
