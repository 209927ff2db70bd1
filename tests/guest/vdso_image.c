/* SPDX-License-Identifier: Apache-2.0 */
/* The vDSO as debuggers read it: a whole ELF file in memory, its section headers too. */
#include "tests/guest/guest_test.h"

#include <elf.h>
#include <sys/auxv.h>

static const char *image;
static size_t image_size;

/* By /proc/self/maps: how much there is to read. */
static void find_image(void)
{
	unsigned long start, end, wanted = getauxval(AT_SYSINFO_EHDR);
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");

	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && start == wanted) {
			CHECK(strstr(line, "[vdso]"));
			image_size = end - start;
		}
	fclose(maps);
	if (!wanted || !image_size)
		SKIP("no vDSO");
	image = (const char *)wanted;
}

static const Elf64_Shdr *section(const char *name)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
	const Elf64_Shdr *sections = (const Elf64_Shdr *)(image + header->e_shoff);
	const char *names = image + sections[header->e_shstrndx].sh_offset;

	for (int i = 0; i < header->e_shnum; i++)
		if (!strcmp(names + sections[i].sh_name, name))
			return &sections[i];
	return NULL;
}

TEST(the_section_headers_are_in_memory)
{
	const Elf64_Ehdr *header;

	find_image();
	header = (const Elf64_Ehdr *)image;
	CHECK(!memcmp(header->e_ident, ELFMAG, SELFMAG));
	CHECK(header->e_shoff && header->e_shnum && header->e_shstrndx < header->e_shnum);
	CHECK_EQ(header->e_shentsize, sizeof(Elf64_Shdr));
	CHECK(header->e_shoff + (size_t)header->e_shnum * sizeof(Elf64_Shdr) <= image_size);
	CHECK(section(".text") && section(".dynsym") && section(".eh_frame"));
	CHECK(!section(".data"));
}

TEST(symbols_lie_in_the_text)
{
	const Elf64_Shdr *symbols, *strings, *text;
	int found = 0;

	find_image();
	symbols = section(".dynsym");
	strings = section(".dynstr");
	text = section(".text");
	CHECK(symbols && strings && text);
	for (size_t i = 0; i < symbols->sh_size / sizeof(Elf64_Sym); i++) {
		const Elf64_Sym *symbol = (const Elf64_Sym *)(image + symbols->sh_offset) + i;

		if (strncmp(image + strings->sh_offset + symbol->st_name, "__vdso_", 7))
			continue;
		CHECK(symbol->st_value >= text->sh_addr &&
			symbol->st_value < text->sh_addr + text->sh_size);
		found++;
	}
	CHECK(found >= 4);
}

GUEST_TEST_MAIN()
