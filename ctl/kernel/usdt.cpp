#include "kernel/usdt.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sstream>

#include "base/fd.h"
#include "kernel/elf_file.h"
#include "kernel/refusal.h"

namespace weir::kernel {
namespace {

constexpr std::uint32_t kStapsdt = 3; // NT_STAPSDT

#if defined(__x86_64__)
constexpr unsigned kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
#endif

// Where programs and libraries are: "python3", "libc.so.6".
std::optional<std::string> look_for(const std::string& name) {
    if (name.find('/') != std::string::npos) {
        return name;
    }
    const char* path = std::getenv("PATH");
    std::string folders = path == nullptr ? "/usr/bin:/usr/sbin" : path;
    if (name.find(".so") != std::string::npos) {
        folders = "/lib64:/usr/lib64:/lib:/usr/lib:/usr/lib/x86_64-linux-gnu:"
                  "/usr/lib/aarch64-linux-gnu:/usr/local/lib";
    }
    std::istringstream list(folders);
    for (std::string folder; std::getline(list, folder, ':');) {
        const std::string candidate = folder + "/" + name;
        if (::access(candidate.c_str(), R_OK) == 0) {
            return candidate;
        }
    }
    return std::nullopt;
}

struct Sections {
    Elf_Data* notes = nullptr;
    std::uint64_t base = 0; // address of .stapsdt.base, 0: there is none
};

Sections find_sections(Elf* elf) {
    Sections found;
    std::size_t names = 0;
    elf_getshdrstrndx(elf, &names);
    for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
         section = elf_nextscn(elf, section)) {
        GElf_Shdr header;
        if (gelf_getshdr(section, &header) == nullptr) {
            continue;
        }
        const char* name = elf_strptr(elf, names, header.sh_name);
        if (name == nullptr) {
            continue;
        }
        if (std::strcmp(name, ".note.stapsdt") == 0) {
            found.notes = elf_getdata(section, nullptr);
        } else if (std::strcmp(name, ".stapsdt.base") == 0) {
            found.base = header.sh_addr;
        }
    }
    return found;
}

// Three addresses, then three texts, each with a 0 behind it.
std::optional<UsdtProbe> parse_note(Elf* elf, const char* start, std::size_t size,
                                    std::uint64_t base) {
    std::uint64_t address[3]; // of the instruction, of .stapsdt.base when linked, of the semaphore
    if (size < sizeof(address) + 3 || start[size - 1] != '\0') {
        return std::nullopt;
    }
    std::memcpy(address, start, sizeof(address));
    const char* at = start + sizeof(address);
    const char* end = start + size;
    std::string texts[3];
    for (std::string& text : texts) {
        if (at >= end) {
            return std::nullopt;
        }
        text = at;
        at += text.size() + 1;
    }
    // prelink(8) moves a program, and not what its notes say: the base tells by how much.
    const std::uint64_t moved = base == 0 ? 0 : base - address[1];
    UsdtProbe probe{texts[0], texts[1], texts[2], in_file(elf, address[0] + moved),
                    address[2] == 0 ? 0 : in_file(elf, address[2] + moved)};
    return probe.offset == 0 ? std::nullopt : std::optional(std::move(probe));
}

} // namespace

Result<UsdtFile> read_usdt(const std::string& file) {
    const auto path = look_for(file);
    if (!path) {
        return fail("'" + file + "' is not where programs and libraries are: name its path");
    }
    const Fd fd(::open(path->c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        return refusal("opening " + *path, errno);
    }
    const ElfFile elf = read_elf(fd.get());
    GElf_Ehdr header;
    if (!elf || gelf_getehdr(elf.get(), &header) == nullptr) {
        return fail(*path + " is no program and no library (ELF)");
    }
    if (header.e_machine != kMachine || gelf_getclass(elf.get()) != ELFCLASS64) {
        return fail(*path + " is for another kind of machine");
    }
    UsdtFile read{*path, {}};
    const Sections sections = find_sections(elf.get());
    GElf_Nhdr note;
    std::size_t name = 0, description = 0;
    for (std::size_t at = 0;
         sections.notes != nullptr &&
         (at = gelf_getnote(sections.notes, at, &note, &name, &description)) > 0;) {
        const auto* octets = static_cast<const char*>(sections.notes->d_buf);
        if (note.n_type == kStapsdt && note.n_namesz == sizeof("stapsdt") &&
            std::memcmp(octets + name, "stapsdt", sizeof("stapsdt")) == 0) {
            if (auto probe =
                    parse_note(elf.get(), octets + description, note.n_descsz, sections.base)) {
                read.probes.push_back(*std::move(probe));
            }
        }
    }
    return read;
}

} // namespace weir::kernel
