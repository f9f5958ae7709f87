#include "base/shared_library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* The loader's own words, which name the file; dlerror clears them. */
static void keep_reason(char *reason, size_t size)
{
    const char *said = dlerror();
    snprintf(reason, size, "%s", said ? said : "the loader gives no reason");
}

static void *open_library(const a1_shared_library *library, char *reason, size_t size)
{
    char path[1024];
    void *handle = dlopen(library->file, RTLD_LAZY | RTLD_LOCAL);
    if (handle)
        return handle;
    keep_reason(reason, size);
    if (library->folder && snprintf(path, sizeof path, "%s/%s", library->folder, library->file) <
                               (int)sizeof path)
        handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    return handle;
}

static allin1_status load_library(const char *what, const a1_shared_library *library, void *table,
                                  a1_error *err)
{
    char reason[512];
    void *handle = open_library(library, reason, sizeof reason);
    if (!handle)
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED, "%s cannot be loaded: %s", what, reason);
    for (size_t i = 0; i < library->count; i++) {
        void *function = dlsym(handle, library->functions[i].name);
        if (!function) {
            dlclose(handle);
            return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED,
                           "%s cannot be used: %s has no function %s", what, library->file,
                           library->functions[i].name);
        }
        /* A function's pointer looks like any other wherever dlsym exists. */
        memcpy((char *)table + library->functions[i].at, &function, sizeof function);
    }
    return ALLIN1_OK;
}

allin1_status a1_shared_load(a1_shared_group *group, a1_error *err)
{
    if (atomic_load_explicit(&group->loaded, memory_order_acquire))
        return ALLIN1_OK;
    allin1_status status = ALLIN1_OK;
    pthread_mutex_lock(&group->lock);
    if (!atomic_load_explicit(&group->loaded, memory_order_relaxed)) {
        for (size_t i = 0; i < group->count && status == ALLIN1_OK; i++)
            status = load_library(group->what, &group->libraries[i], group->table, err);
        if (status == ALLIN1_OK)
            atomic_store_explicit(&group->loaded, true, memory_order_release);
    }
    pthread_mutex_unlock(&group->lock);
    return status;
}
