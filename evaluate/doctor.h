/* doctor.h: commands of km-evaluate that look at the machine. */
#ifndef EVALUATE_DOCTOR_H
#define EVALUATE_DOCTOR_H

/* What this machine can do, and how to get the rest. */
int doctor_main(int argc, char **argv);
/* What a box costs, and whether it leaves anything. */
int bench_sandbox_main(int argc, char **argv);

#endif
