// SPDX-License-Identifier: Apache-2.0
// A program to trace: threads that take turns at a lock; ends with 4.
public class Threads {
	public static void main(String[] arguments) throws Exception {
		Thread[] threads = new Thread[6];
		int[] sum = new int[1];
		for (int i = 0; i < 6; i++) {
			threads[i] = new Thread(() -> {
				for (int k = 0; k < 1000; k++)
					synchronized (sum) {
						sum[0]++;
					}
			});
			threads[i].start();
		}
		for (Thread thread : threads)
			thread.join();
		System.out.println(sum[0]);
		System.exit(4);
	}
}
