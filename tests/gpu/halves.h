// Numbers of 16 bits on the host, as a GPU has them: rounded to the nearest, of two to the even one.

#pragma once

#include <math.h>

#include <cstdint>
#include <cstring>

inline float of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

inline uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}

// bfloat16: the upper half of an f32.
struct bf16 {
    uint16_t bits;
};

inline float get(bf16 v) { return of_bits((uint32_t)v.bits << 16); }

inline void put(bf16& to, float v) {
    uint32_t bits = bits_of(v);
    bool is_number = (bits & 0x7fffffff) <= 0x7f800000;
    to.bits = is_number ? (bits + 0x7fff + (bits >> 16 & 1)) >> 16 : 0x7fc0;
}

// IEEE 754's binary16: five bits of exponent, ten of fraction.
struct f16 {
    uint16_t bits;
};

inline float get(f16 v) {
    uint32_t sign = (uint32_t)(v.bits & 0x8000) << 16, exponent = v.bits >> 10 & 0x1f, fraction = v.bits & 0x3ff;
    // Below 2^-14 they are multiples of 2^-24.
    float size = exponent == 0    ? ldexpf((float)fraction, -24)
                 : exponent == 31 ? (fraction ? NAN : INFINITY)
                                  : of_bits((exponent + 112) << 23 | fraction << 13);
    return sign ? -size : size;
}

inline void put(f16& to, float v) {
    constexpr uint32_t LEAST = 0x38800000, BEYOND = 0x47800000, INFINITE = 0x7f800000;
    uint32_t bits = bits_of(v), size = bits & 0x7fffffff;
    uint16_t found;
    if (size > INFINITE) {
        found = 0x7fff;
    } else if (size >= BEYOND) {
        found = 0x7c00;
    } else if (size >= LEAST) {
        // What is carried out of the fraction counts the exponent up, to infinity in the end.
        found = (size - (112u << 23) + 0xfff + (size >> 13 & 1)) >> 13;
    } else {
        found = (uint16_t)nearbyintf(ldexpf(of_bits(size), 24));
    }
    to.bits = found | (bits >> 16 & 0x8000);
}
