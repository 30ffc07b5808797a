/* What Debian's libgcc takes from the GNU C library and musl does not have: where the unwind tables are that belong to an address.
   Linked into everything that the tests build for musl; a distribution with musl has a libgcc that does without. */
#define _GNU_SOURCE
#include <link.h>
#include <stddef.h>

/* As the GNU C library has it on processors where tables need no base for data. */
struct found {
    unsigned long long flags;
    void *map_start, *map_end;
    struct link_map *link_map;
    void *unwind_tables;
    unsigned long long reserved[7];
};

struct search {
    ElfW(Addr) address;
    struct found *found;
};

static int look(struct dl_phdr_info *object, size_t size, void *data) {
    struct search *search = data;
    ElfW(Addr) start = 0, end = 0, tables = 0;
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        ElfW(Addr) begin = object->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && search->address >= begin && search->address < begin + header->p_memsz) {
            start = begin;
            end = begin + header->p_memsz;
        }
        if (header->p_type == PT_GNU_EH_FRAME) tables = begin;
    }
    if (end == 0 || tables == 0) return 0;
    *search->found = (struct found){0, (void *)start, (void *)end, NULL, (void *)tables, {0}};
    return 1;
}

__attribute__((visibility("hidden"))) int _dl_find_object(void *address, struct found *found) {
    struct search search = {(ElfW(Addr))address, found};
    return dl_iterate_phdr(look, &search) ? 0 : -1;
}
