/* A stand-in for the CUDA driver of an Orin Nano 8 GB, as far as edgesr/boards/gpu.py asks it.
 * It has no graphs, so that the session takes the way without them. */
#include <stddef.h>

static void copy(char *target, const char *text, int room)
{
    while (--room > 0 && *text)
        *target++ = *text++;
    *target = 0;
}

int cuInit(unsigned flags) { return flags != 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
int cuDriverGetVersion(int *version) { *version = 12060; return 0; }
int cuDeviceGetName(char *name, int room, int device) { copy(name, "Orin", room); return device; }
int cuDeviceGetUuid(unsigned char *uuid, int device) { for (int i = 0; i < 16; i++) uuid[i] = i; return device; }
int cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = (size_t)7620 << 20; return device; }

int cuDeviceGetAttribute(int *value, int attribute, int device)
{
    switch (attribute) {
    case 18: *value = 1; break; /* integrated */
    case 75: *value = 8; break; /* compute capability, major */
    case 76: *value = 7; break;
    default: return 1;
    }
    return device;
}
