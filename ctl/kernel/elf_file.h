#pragma once

#include <gelf.h>
#include <libelf.h>

#include <cstdint>
#include <memory>

namespace weir::kernel {

using ElfFile = std::unique_ptr<Elf, int (*)(Elf*)>;

// To read; none: the file is no ELF file. The descriptor must outlive it.
ElfFile read_elf(int fd);

// Where an address of the program lies in its file, as uprobes name it; 0: nowhere.
std::uint64_t in_file(Elf* elf, std::uint64_t address);

} // namespace weir::kernel
