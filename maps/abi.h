/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every map header needs so that one definition serves BPF C and C++.
 *
 * A map header holds three parts: the structures (both sides), the map itself (`#ifdef __bpf__`) and
 * its typed name (`#ifdef __cplusplus`). Structures have no padding and no unions.
 */
#pragma once

#include <linux/types.h>

/*
 * Version of everything pinned: it changes whenever a structure, a map or their meaning does. It is
 * also the name of the pin directory, so that no program ever reads the maps of another version.
 */
#define WEIR_SCHEMA 6

/* Room for generations: the live one, the one before it (rollback), the one being built. */
#define GENERATION_SLOTS 3

/* Entries of every pool of per-generation tables: one each for the kept generations, one to build. */
#define TABLE_POOL 4

#ifdef __cplusplus

#include <type_traits>

#define ABI_ASSERT(type, size)                                                                     \
    static_assert(sizeof(struct type) == (size), #type " changed size: raise WEIR_SCHEMA");        \
    static_assert(std::has_unique_object_representations_v<struct type>, #type " has padding")

namespace weir::maps {

/* A map's name and the types of what it holds; `kernel` opens it by these. */
template <typename Key, typename Value>
struct Map {
    const char *name;
    using key_type = Key;
    using value_type = Value;
};

/* One value per possible CPU under each key. */
template <typename Key, typename Value>
struct PerCpuMap {
    const char *name;
    using key_type = Key;
    using value_type = Value;
};

/* An outer map whose values are maps from Key to Value; the outer key is a __u32 index. */
template <typename Key, typename Value>
struct PoolMap {
    const char *name;
    using key_type = Key;
    using value_type = Value;
};

/* An array of TABLE_POOL tables of equal length, one behind the other, each a generation's. */
template <typename Value>
struct BankMap {
    const char *name;
    using value_type = Value;
};

} // namespace weir::maps

#else

#define ABI_ASSERT(type, size)                                                                     \
	_Static_assert(sizeof(struct type) == (size), #type " changed size: raise WEIR_SCHEMA")

#endif
