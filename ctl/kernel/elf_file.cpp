#include "kernel/elf_file.h"

namespace weir::kernel {

ElfFile read_elf(int fd) {
    elf_version(EV_CURRENT);
    ElfFile elf(elf_begin(fd, ELF_C_READ_MMAP, nullptr), elf_end);
    if (elf && elf_kind(elf.get()) != ELF_K_ELF) {
        elf.reset();
    }
    return elf;
}

std::uint64_t in_file(Elf* elf, std::uint64_t address) {
    std::size_t count = 0;
    elf_getphdrnum(elf, &count);
    for (std::size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (gelf_getphdr(elf, static_cast<int>(i), &segment) != nullptr &&
            segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
            address - segment.p_vaddr < segment.p_memsz) {
            return address - segment.p_vaddr + segment.p_offset;
        }
    }
    return 0;
}

} // namespace weir::kernel
