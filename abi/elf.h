/* SPDX-License-Identifier: Apache-2.0 */
/* ELF64: headers, the auxiliary vector, notes of core files and of register sets. */
#pragma once

#include <stdint.h>

#define LINUX_ELFMAG	  "\177ELF"
#define LINUX_SELFMAG	  4
#define LINUX_EI_CLASS	  4
#define LINUX_EI_DATA	  5
#define LINUX_EI_VERSION  6
#define LINUX_EI_OSABI	  7
#define LINUX_EI_NIDENT	  16
#define LINUX_ELFCLASS32  1
#define LINUX_ELFCLASS64  2
#define LINUX_ELFDATA2LSB 1
#define LINUX_EV_CURRENT  1

#define LINUX_ET_NONE	0
#define LINUX_ET_REL	1
#define LINUX_ET_EXEC	2
#define LINUX_ET_DYN	3
#define LINUX_ET_CORE	4
#define LINUX_EM_386	3
#define LINUX_EM_X86_64 62

/* Program headers. */
#define LINUX_PT_NULL	      0x0
#define LINUX_PT_LOAD	      0x1
#define LINUX_PT_DYNAMIC      0x2
#define LINUX_PT_INTERP	      0x3
#define LINUX_PT_NOTE	      0x4
#define LINUX_PT_SHLIB	      0x5
#define LINUX_PT_PHDR	      0x6
#define LINUX_PT_TLS	      0x7
#define LINUX_PT_LOOS	      0x60000000
#define LINUX_PT_HIOS	      0x6fffffff
#define LINUX_PT_LOPROC	      0x70000000
#define LINUX_PT_HIPROC	      0x7fffffff
#define LINUX_PT_GNU_EH_FRAME 0x6474e550
#define LINUX_PT_GNU_STACK    0x6474e551
#define LINUX_PT_GNU_RELRO    0x6474e552
#define LINUX_PT_GNU_PROPERTY 0x6474e553

#define LINUX_PF_R    0x4
#define LINUX_PF_W    0x2
#define LINUX_PF_X    0x1
#define LINUX_PN_XNUM 0xffff

/* Sections. */
#define LINUX_SHT_NULL	   0
#define LINUX_SHT_PROGBITS 1
#define LINUX_SHT_SYMTAB   2
#define LINUX_SHT_STRTAB   3
#define LINUX_SHT_RELA	   4
#define LINUX_SHT_HASH	   5
#define LINUX_SHT_DYNAMIC  6
#define LINUX_SHT_NOTE	   7
#define LINUX_SHT_NOBITS   8
#define LINUX_SHT_REL	   9
#define LINUX_SHT_SHLIB	   10
#define LINUX_SHT_DYNSYM   11
#define LINUX_SHT_NUM	   12

/* The dynamic section. */
#define LINUX_DT_NULL	   0x0
#define LINUX_DT_NEEDED	   0x1
#define LINUX_DT_PLTRELSZ  0x2
#define LINUX_DT_PLTGOT	   0x3
#define LINUX_DT_HASH	   0x4
#define LINUX_DT_STRTAB	   0x5
#define LINUX_DT_SYMTAB	   0x6
#define LINUX_DT_RELA	   0x7
#define LINUX_DT_RELASZ	   0x8
#define LINUX_DT_RELAENT   0x9
#define LINUX_DT_STRSZ	   0xa
#define LINUX_DT_SYMENT	   0xb
#define LINUX_DT_SONAME	   0xe
#define LINUX_DT_RPATH	   0xf
#define LINUX_DT_RUNPATH   0x1d
#define LINUX_DT_VERSYM	   0x6ffffff0
#define LINUX_DT_VERDEF	   0x6ffffffc
#define LINUX_DT_VERDEFNUM 0x6ffffffd

/* The auxiliary vector. */
#define LINUX_AT_SYSINFO_EHDR  33
#define LINUX_AT_NULL	       0
#define LINUX_AT_IGNORE	       1
#define LINUX_AT_EXECFD	       2
#define LINUX_AT_PHDR	       3
#define LINUX_AT_PHENT	       4
#define LINUX_AT_PHNUM	       5
#define LINUX_AT_PAGESZ	       6
#define LINUX_AT_BASE	       7
#define LINUX_AT_FLAGS	       8
#define LINUX_AT_ENTRY	       9
#define LINUX_AT_NOTELF	       10
#define LINUX_AT_UID	       11
#define LINUX_AT_EUID	       12
#define LINUX_AT_GID	       13
#define LINUX_AT_EGID	       14
#define LINUX_AT_PLATFORM      15
#define LINUX_AT_HWCAP	       16
#define LINUX_AT_CLKTCK	       17
#define LINUX_AT_SECURE	       23
#define LINUX_AT_BASE_PLATFORM 24
#define LINUX_AT_RANDOM	       25
#define LINUX_AT_HWCAP2	       26
#define LINUX_AT_EXECFN	       31
#define LINUX_AT_MINSIGSTKSZ   51

#define LINUX_AT_RSEQ_FEATURE_SIZE 27
#define LINUX_AT_RSEQ_ALIGN	   28
#define LINUX_AT_HWCAP3		   29
#define LINUX_AT_HWCAP4		   30

/* Notes: core files, and the register sets of PTRACE_GETREGSET. */
#define LINUX_NT_PRSTATUS   0x1
#define LINUX_NT_PRFPREG    0x2
#define LINUX_NT_PRPSINFO   0x3
#define LINUX_NT_TASKSTRUCT 0x4
#define LINUX_NT_AUXV	    0x6
#define LINUX_NT_SIGINFO    0x53494749
#define LINUX_NT_FILE	    0x46494c45
#define LINUX_NT_PRXFPREG   0x46e62b7f
#define LINUX_NT_386_TLS    0x200
#define LINUX_NT_386_IOPERM 0x201
#define LINUX_NT_X86_XSTATE 0x202

#define LINUX_NT_X86_SHSTK	  0x204
#define LINUX_NT_X86_XSAVE_LAYOUT 0x205

struct linux_elf64_ehdr {
	uint8_t e_ident[LINUX_EI_NIDENT];
	uint16_t e_type;
	uint16_t e_machine;
	uint32_t e_version;
	uint64_t e_entry;
	uint64_t e_phoff;
	uint64_t e_shoff;
	uint32_t e_flags;
	uint16_t e_ehsize;
	uint16_t e_phentsize;
	uint16_t e_phnum;
	uint16_t e_shentsize;
	uint16_t e_shnum;
	uint16_t e_shstrndx;
};

struct linux_elf64_phdr {
	uint32_t p_type;
	uint32_t p_flags;
	uint64_t p_offset;
	uint64_t p_vaddr;
	uint64_t p_paddr;
	uint64_t p_filesz;
	uint64_t p_memsz;
	uint64_t p_align;
};

struct linux_elf64_shdr {
	uint32_t sh_name;
	uint32_t sh_type;
	uint64_t sh_flags;
	uint64_t sh_addr;
	uint64_t sh_offset;
	uint64_t sh_size;
	uint32_t sh_link;
	uint32_t sh_info;
	uint64_t sh_addralign;
	uint64_t sh_entsize;
};

struct linux_elf64_sym {
	uint32_t st_name;
	uint8_t st_info;
	uint8_t st_other;
	uint16_t st_shndx;
	uint64_t st_value;
	uint64_t st_size;
};

struct linux_elf64_dyn {
	int64_t d_tag;
	uint64_t d_val;
};

struct linux_elf64_nhdr {
	uint32_t n_namesz;
	uint32_t n_descsz;
	uint32_t n_type;
};

struct linux_auxv {
	uint64_t a_type;
	uint64_t a_val;
};

_Static_assert(sizeof(struct linux_elf64_ehdr) == 64, "Elf64_Ehdr");
_Static_assert(sizeof(struct linux_elf64_phdr) == 56, "Elf64_Phdr");
_Static_assert(sizeof(struct linux_elf64_shdr) == 64, "Elf64_Shdr");
_Static_assert(sizeof(struct linux_elf64_sym) == 24, "Elf64_Sym");
