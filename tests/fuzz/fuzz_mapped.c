/* Our own files, without the checksum, which would let nothing through. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/cpu.h"
#include "evidence.h"
#include "student/student.h"
#include "weights/digest.h"
#include "weights/mapped.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What says that it is a student is built as one. */
static void make_student(const a1_tensor_set *set)
{
    const char *family = a1_tensor_set_text(set, "family");
    a1_student *student = NULL;
    a1_calibration calibration;
    a1_error err;
    a1_cpu cpu;
    if (!family || strcmp(family, "student") != 0 ||
        a1_cpu_select(&cpu, ALLIN1_CPU_SCALAR, &err) != ALLIN1_OK)
        return;
    (void)a1_student_create(&student, set, &cpu, &err);
    a1_student_destroy(&student);
    (void)a1_calibration_read(&calibration, a1_tensor_set_text(set, "confidence"), "fuzz.a1w", &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    a1_tensor_set *set = NULL;
    a1_error err;
    /* The format asks for alignment; what is read beyond the end is caught by the check below. */
    void *aligned = a1_aligned_alloc(size + 64);
    if (!aligned || a1_tensor_set_create(&set, &err) != ALLIN1_OK) {
        a1_aligned_free(aligned);
        return 0;
    }
    unsigned char *bytes = (unsigned char *)aligned;
    if (size)
        memcpy(bytes, data, size);
    if (a1_mapped_parse(bytes, size, "fuzz.a1w", false, NULL, set, &err) == ALLIN1_OK) {
        /* Whatever was accepted can be read to its last value. */
        unsigned sum = 0;
        for (size_t i = 0; i < a1_tensor_set_count(set); i++) {
            const a1_tensor *tensor = a1_tensor_set_at(set, i);
            const size_t end = a1_tensor_count(tensor) * a1_dtype_size(tensor->dtype);
            const unsigned char *first = tensor->data;
            if (first < bytes || end > size || (size_t)(first - bytes) > size - end)
                __builtin_trap();
            for (size_t k = 0; k < end; k++)
                sum += first[k];
        }
        char digest[A1_SHA256_HEX];
        digest[0] = (char)sum;
        (void)a1_tensor_set_digest(set, digest, &err);
        make_student(set);
    }
    a1_tensor_set_destroy(&set);
    a1_aligned_free(aligned);
    return 0;
}
