#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int g = 1;

static int child(int x)
{
	g = x;
	return g + 1;
}

static int parent(int x)
{
	g = x;
	return g + 2;
}

static int spawn(int with_vfork)
{
	int status;
	pid_t pid = with_vfork ? vfork() : fork();

	if (pid == 0) {
		execl("./simple", "./simple", with_vfork ? "4" : "3", NULL);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	printf("child %d\n", WEXITSTATUS(status));
	return 0;
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (argc > 1)
		return spawn(!strcmp(argv[1], "vfork"));
	pid = fork();
	if (pid == 0)
		_exit(child(10));
	waitpid(pid, &status, 0);
	printf("child %d parent %d\n", WEXITSTATUS(status), parent(20));
	return 0;
}
