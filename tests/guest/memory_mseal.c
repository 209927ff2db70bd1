/* SPDX-License-Identifier: Apache-2.0 */
/* mseal(2): what a sealed mapping refuses, and what it does not. */
#include "tests/guest/guest_test.h"

#include <sys/syscall.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

#define PAGE 4096l

static int seal(void *address, size_t length)
{
	return (int)syscall(SYS_mseal, address, length, 0l);
}

/* Pages, the middle two of four sealed. */
static char *sealed(int protection)
{
	char *pages = mmap(NULL, 4 * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(pages != MAP_FAILED);
	if (seal(pages + PAGE, 2 * PAGE) && errno == ENOSYS)
		SKIP("no mseal");
	CHECK_EQ(seal(pages + PAGE, 2 * PAGE), 0);
	return pages;
}

TEST(sealed_stays_as_it_is)
{
	char *pages = sealed(PROT_READ | PROT_WRITE);

	CHECK_ERRNO(munmap(pages + PAGE, PAGE), EPERM);
	CHECK_ERRNO(munmap(pages, 4 * PAGE), EPERM);
	CHECK_ERRNO(mprotect(pages + 2 * PAGE, PAGE, PROT_READ), EPERM);
	CHECK(mremap(pages + PAGE, PAGE, PAGE / 2, 0) == MAP_FAILED && errno == EPERM);
	CHECK(mremap(pages + PAGE, PAGE, 3 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EPERM);
	CHECK(mmap(pages + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
			MAP_FAILED &&
		errno == EPERM);
	CHECK(mremap(pages + 3 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, pages + PAGE) ==
			MAP_FAILED &&
		errno == EPERM);
	/* The neighbours go, and what is sealed is written as ever. */
	pages[PAGE] = 1;
	CHECK_EQ(munmap(pages, PAGE), 0);
	CHECK_EQ(mprotect(pages + 3 * PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(madvise(pages + PAGE, PAGE, MADV_DONTNEED), 0);
	CHECK_EQ(pages[PAGE], 0);
}

TEST(what_cannot_be_written_is_not_thrown_away)
{
	char *pages = sealed(PROT_READ);

	CHECK_ERRNO(madvise(pages + PAGE, PAGE, MADV_DONTNEED), EPERM);
	CHECK_ERRNO(madvise(pages + PAGE, PAGE, MADV_WIPEONFORK), EPERM);
	CHECK_EQ(madvise(pages + PAGE, PAGE, MADV_RANDOM), 0);
	CHECK_EQ(madvise(pages, PAGE, MADV_DONTNEED), 0);
}

static char *of_parent;

static void unmap_in_child(void)
{
	_exit(munmap(of_parent + PAGE, PAGE) == -1 && errno == EPERM ? 3 : 1);
}

TEST(a_child_s_are_sealed_too)
{
	of_parent = sealed(PROT_READ | PROT_WRITE);
	CHECK_EQ(in_child(unmap_in_child), 3 << 8);
}

TEST(errors)
{
	char *pages = sealed(PROT_READ);

	CHECK_ERRNO(syscall(SYS_mseal, pages, PAGE, 1l), EINVAL);
	CHECK_ERRNO(seal(pages + 1, PAGE), EINVAL);
	CHECK_ERRNO(seal(pages, (size_t)-1), EINVAL);
	CHECK_EQ(seal(pages, 0), 0);
	CHECK_EQ(munmap(pages, PAGE), 0);
	CHECK_ERRNO(seal(pages, 4 * PAGE), ENOMEM);
	CHECK_EQ(seal(pages + PAGE, 3 * PAGE), 0);
}

GUEST_TEST_MAIN()
