/* SPDX-License-Identifier: Apache-2.0 */
/* A debuggee: calls, loops, globals; ends with 7 or its argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
struct point {
	int x, y;
	char name[8];
};
int g = 1;
struct point p = {1, 2, "pt"};
int add(int a, int b)
{
	int sum = a + b;
	return sum;
}
int fact(int n)
{
	if (n <= 1)
		return 1;
	return n * fact(n - 1);
}
double half(double d)
{
	return d / 2;
}
int main(int argc, char **argv)
{
	int i, total = 0;
	for (i = 0; i < 5; i++) {
		total = add(total, i);
		g = total;
	}
	p.x = fact(5);
	strcpy(p.name, "new");
	printf("total %d fact %d half %.2f\n", total, p.x, half(3));
	fflush(stdout);
	return argc > 1 ? atoi(argv[1]) : 7;
}
