// SPDX-License-Identifier: GPL-2.0
#include <elf.h>
#include <string.h>

#include "elfimage.h"

bool hv_elf_is(const uint8_t *head, uint32_t len)
{
	return len >= EI_NIDENT && !memcmp(head, ELFMAG, SELFMAG);
}

static int check_segment(const struct hv_elf_segment *s, const struct hv_file *file, unsigned int i,
			 struct hv_error *err)
{
	if (s->type != PT_LOAD && s->type != PT_NOTE)
		return 0;
	if (s->offset > file->size || s->filesz > file->size - s->offset)
		return hv_fail(err, "%s: truncated: segment %u ends beyond the file", file->name,
			       i);
	if (s->type == PT_LOAD && (s->memsz < s->filesz || s->paddr + s->memsz < s->paddr))
		return hv_fail(err, "%s: damaged: segment %u has impossible sizes", file->name, i);
	return 0;
}

static int read_segments(struct hv_elf *elf, const struct hv_file *file, uint64_t phoff,
			 uint32_t phentsize, uint32_t phnum, struct hv_error *err)
{
	uint32_t size = elf->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr), i;

	if (phentsize != size)
		return hv_fail(err, "%s: damaged: program headers of %u bytes", file->name,
			       phentsize);
	if (!phnum || phnum > HV_ELF_SEGMENTS)
		return hv_fail(err, "%s: %u program headers; 1 to %u are possible", file->name,
			       phnum, HV_ELF_SEGMENTS);
	/* The sum with the entries' offset cannot wrap then. */
	if (phoff > file->size)
		return hv_fail(err, "%s: truncated: program headers lie beyond the file",
			       file->name);
	for (i = 0; i < phnum; i++) {
		struct hv_elf_segment *s = &elf->segment[i];
		union {
			Elf64_Phdr p64;
			Elf32_Phdr p32;
		} p;

		if (hv_file_read(file, phoff + i * size, &p, size, "a program header", err))
			return -1;
		if (elf->is64)
			*s = (struct hv_elf_segment){ p.p64.p_type,  p.p64.p_offset, p.p64.p_vaddr,
						      p.p64.p_paddr, p.p64.p_filesz, p.p64.p_memsz,
						      p.p64.p_align };
		else
			*s = (struct hv_elf_segment){ p.p32.p_type,  p.p32.p_offset, p.p32.p_vaddr,
						      p.p32.p_paddr, p.p32.p_filesz, p.p32.p_memsz,
						      p.p32.p_align };
		if (check_segment(s, file, i, err))
			return -1;
	}
	elf->nr = phnum;
	return 0;
}

int hv_elf_read(struct hv_elf *elf, const struct hv_file *file, struct hv_error *err)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf64_Ehdr e64;
		Elf32_Ehdr e32;
	} e;

	memset(elf, 0, sizeof(*elf));
	if (hv_file_read(file, 0, &e, sizeof(e.e32), "the ELF header", err))
		return -1;
	elf->is64 = e.ident[EI_CLASS] == ELFCLASS64;
	if ((!elf->is64 && e.ident[EI_CLASS] != ELFCLASS32) || e.ident[EI_DATA] != ELFDATA2LSB)
		return hv_fail(err, "%s: not an ELF image for x86", file->name);
	if (elf->is64 && hv_file_read(file, 0, &e, sizeof(e.e64), "the ELF header", err))
		return -1;
	/* Both classes have type and machine at the same place. */
	if (e.e32.e_machine != EM_X86_64 && e.e32.e_machine != EM_386)
		return hv_fail(err, "%s: an ELF image for another kind of machine", file->name);
	if (e.e32.e_type != ET_EXEC && e.e32.e_type != ET_DYN)
		return hv_fail(err, "%s: an ELF file that is not a program", file->name);
	if (elf->is64) {
		elf->entry = e.e64.e_entry;
		return read_segments(elf, file, e.e64.e_phoff, e.e64.e_phentsize, e.e64.e_phnum,
				     err);
	}
	elf->entry = e.e32.e_entry;
	return read_segments(elf, file, e.e32.e_phoff, e.e32.e_phentsize, e.e32.e_phnum, err);
}
