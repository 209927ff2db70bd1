/* SPDX-License-Identifier: Apache-2.0 */
/* Terminal settings: termios, termios2, termio, winsize. The ioctl numbers are in abi/ioctl.h. */
#pragma once

#include <stdint.h>

/* Control characters. */
#define LINUX_VINTR    0
#define LINUX_VQUIT    1
#define LINUX_VERASE   2
#define LINUX_VKILL    3
#define LINUX_VEOF     4
#define LINUX_VTIME    5
#define LINUX_VMIN     6
#define LINUX_VSWTC    7
#define LINUX_VSTART   8
#define LINUX_VSTOP    9
#define LINUX_VSUSP    10
#define LINUX_VEOL     11
#define LINUX_VREPRINT 12
#define LINUX_VDISCARD 13
#define LINUX_VWERASE  14
#define LINUX_VLNEXT   15
#define LINUX_VEOL2    16

#define LINUX_NCCS	     19
#define LINUX_NCC	     8
#define LINUX_POSIX_VDISABLE 0

/* c_iflag. */
#define LINUX_IGNBRK  01
#define LINUX_BRKINT  02
#define LINUX_IGNPAR  04
#define LINUX_PARMRK  010
#define LINUX_INPCK   020
#define LINUX_ISTRIP  040
#define LINUX_INLCR   0100
#define LINUX_IGNCR   0200
#define LINUX_ICRNL   0400
#define LINUX_IUCLC   01000
#define LINUX_IXON    02000
#define LINUX_IXANY   04000
#define LINUX_IXOFF   010000
#define LINUX_IMAXBEL 020000
#define LINUX_IUTF8   040000

/* c_oflag. */
#define LINUX_OPOST  01
#define LINUX_OLCUC  02
#define LINUX_ONLCR  04
#define LINUX_OCRNL  010
#define LINUX_ONOCR  020
#define LINUX_ONLRET 040
#define LINUX_OFILL  0100
#define LINUX_OFDEL  0200
#define LINUX_NLDLY  0400
#define LINUX_NL0    0
#define LINUX_NL1    0400
#define LINUX_CRDLY  03000
#define LINUX_CR0    0
#define LINUX_CR1    01000
#define LINUX_CR2    02000
#define LINUX_CR3    03000
#define LINUX_TABDLY 014000
#define LINUX_TAB0   0
#define LINUX_TAB1   04000
#define LINUX_TAB2   010000
#define LINUX_TAB3   014000
#define LINUX_XTABS  014000
#define LINUX_BSDLY  020000
#define LINUX_BS0    0
#define LINUX_BS1    020000
#define LINUX_VTDLY  040000
#define LINUX_VT0    0
#define LINUX_VT1    040000
#define LINUX_FFDLY  0100000
#define LINUX_FF0    0
#define LINUX_FF1    0100000

/* c_cflag. */
#define LINUX_CBAUD    010017
#define LINUX_CSIZE    060
#define LINUX_CS5      0
#define LINUX_CS6      020
#define LINUX_CS7      040
#define LINUX_CS8      060
#define LINUX_CSTOPB   0100
#define LINUX_CREAD    0200
#define LINUX_PARENB   0400
#define LINUX_PARODD   01000
#define LINUX_HUPCL    02000
#define LINUX_CLOCAL   04000
#define LINUX_CBAUDEX  010000
#define LINUX_BOTHER   010000
#define LINUX_CIBAUD   02003600000
#define LINUX_ADDRB    04000000000
#define LINUX_CMSPAR   010000000000
#define LINUX_CRTSCTS  020000000000
#define LINUX_IBSHIFT  020
#define LINUX_B0       0
#define LINUX_B50      01
#define LINUX_B75      02
#define LINUX_B110     03
#define LINUX_B134     04
#define LINUX_B150     05
#define LINUX_B200     06
#define LINUX_B300     07
#define LINUX_B600     010
#define LINUX_B1200    011
#define LINUX_B1800    012
#define LINUX_B2400    013
#define LINUX_B4800    014
#define LINUX_B9600    015
#define LINUX_B19200   016
#define LINUX_B38400   017
#define LINUX_B57600   010001
#define LINUX_B115200  010002
#define LINUX_B230400  010003
#define LINUX_B460800  010004
#define LINUX_B500000  010005
#define LINUX_B576000  010006
#define LINUX_B921600  010007
#define LINUX_B1000000 010010
#define LINUX_B1152000 010011
#define LINUX_B1500000 010012
#define LINUX_B2000000 010013
#define LINUX_B2500000 010014
#define LINUX_B3000000 010015
#define LINUX_B3500000 010016
#define LINUX_B4000000 010017

/* c_lflag. */
#define LINUX_ISIG    01
#define LINUX_ICANON  02
#define LINUX_XCASE   04
#define LINUX_ECHO    010
#define LINUX_ECHOE   020
#define LINUX_ECHOK   040
#define LINUX_ECHONL  0100
#define LINUX_NOFLSH  0200
#define LINUX_TOSTOP  0400
#define LINUX_ECHOCTL 01000
#define LINUX_ECHOPRT 02000
#define LINUX_ECHOKE  04000
#define LINUX_FLUSHO  010000
#define LINUX_PENDIN  040000
#define LINUX_IEXTEN  0100000
#define LINUX_EXTPROC 0200000

/* tcflow(3), tcflush(3), tcsetattr(3), line disciplines. */
#define LINUX_TCOOFF	0
#define LINUX_TCOON	1
#define LINUX_TCIOFF	2
#define LINUX_TCION	3
#define LINUX_TCIFLUSH	0
#define LINUX_TCOFLUSH	1
#define LINUX_TCIOFLUSH 2
#define LINUX_TCSANOW	0
#define LINUX_TCSADRAIN 1
#define LINUX_TCSAFLUSH 2
#define LINUX_N_TTY	0

struct linux_termios {
	uint32_t c_iflag;
	uint32_t c_oflag;
	uint32_t c_cflag;
	uint32_t c_lflag;
	uint8_t c_line;
	uint8_t c_cc[LINUX_NCCS];
};

struct linux_termios2 {
	uint32_t c_iflag;
	uint32_t c_oflag;
	uint32_t c_cflag;
	uint32_t c_lflag;
	uint8_t c_line;
	uint8_t c_cc[LINUX_NCCS];
	uint32_t c_ispeed;
	uint32_t c_ospeed;
};

struct linux_termio {
	uint16_t c_iflag;
	uint16_t c_oflag;
	uint16_t c_cflag;
	uint16_t c_lflag;
	uint8_t c_line;
	uint8_t c_cc[LINUX_NCC];
	uint8_t pad0;
};

struct linux_winsize {
	uint16_t ws_row;
	uint16_t ws_col;
	uint16_t ws_xpixel;
	uint16_t ws_ypixel;
};

_Static_assert(sizeof(struct linux_termios) == 36, "struct termios");
_Static_assert(sizeof(struct linux_termios2) == 44, "struct termios2");
_Static_assert(sizeof(struct linux_termio) == 18, "struct termio");
_Static_assert(sizeof(struct linux_winsize) == 8, "struct winsize");
