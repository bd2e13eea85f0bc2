(* Leaving one row out, and what a wrong label of a feature seen once does. *)
From mathcomp Require Import all_ssreflect all_algebra.
From companion Require Import basics minimum_norm.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Leave_one_out.
Variables (F : realFieldType) (n d : nat) (X : 'M[F]_(n, d)) (r : 'I_n).

(* The data without row r. *)
Local Notation rest := (row' r).

Lemma split_row (v : 'cV_n) : X^T *m v = v r 0 *: (row r X)^T + (rest X)^T *m rest v.
Proof.
apply/colP=> i; rewrite !mxE (bigD1_ord r) //= mxE mulrC; congr (_ + _).
by apply: eq_bigr => q _; rewrite !mxE.
Qed.

Lemma rest_unit : rest (unit_at F r) = 0.
Proof. by apply/colP=> q; rewrite !mxE eq_sym (negPf (neq_lift _ _)). Qed.

Lemma rest_mul (b : 'cV_d) : rest (X *m b) = rest X *m b.
Proof. by apply/colP=> q; rewrite !mxE; apply: eq_bigr => i _; rewrite mxE. Qed.

(* thm-leave-one-out. First half, for a row that is not memorized; any least-squares solution b of the other rows serves. Nothing is divided,
   so the identity also says that a row of leverage 1 has no training error.
   Must fail: (1 - H r r) * (y r 0 ==> (y r 0 *)
Theorem leave_one_out H (y : 'cV_n) b :
  projects X^T H -> least_squares (rest X) (rest y) b ->
  (1 - H r r) * (y r 0 - (X *m b) r 0) = y r 0 - (H *m y) r 0.
Proof.
move=> proj normal; set p := (X *m b) r 0; set delta := p - y r 0; set y' := y + delta *: unit_at F r.
have solved : X^T *m (X *m b - y') = 0.
  have at_r : y' r 0 = p by rewrite !mxE !eqxx mulr1 addrC subrK.
  rewrite split_row mxE [(- y') r 0]mxE -/p at_r subrr.
  rewrite scale0r add0r; suff -> : rest (X *m b - y') = rest X *m b - rest y by [].
  by rewrite linearB linearD linearZ /= rest_unit scaler0 addr0 rest_mul.
have fits : H *m y' = X *m b.
  have fixed : H *m (X *m b) = X *m b by apply/(projects_fixes _ proj); exists b; rewrite trmxK.
  apply/eqP; rewrite -fixed eq_sym -subr_eq0 -mulmxBr; case: proj => _ _ same.
  have /submxP[D ->] : (H <= X^T)%MS by rewrite same.
  by rewrite -mulmxA solved mulmx0.
have at_r : (H *m y) r 0 + delta * H r r = p.
  by rewrite /p -fits mulmxDr -scalemxAr -colE; move: (H *m y) => v; rewrite !mxE.
have -> : (H *m y) r 0 = p - delta * H r r by rewrite -at_r addrK.
by rewrite mulrBl mul1r -mulrN (opprB (y r 0)) -/delta opprB mulrC -addrA [- p + _]addrC.
Qed.

Section Memorized.
Variables (A : 'M[F]_(d, n)) (y : 'cV[F]_n) (b : 'cV[F]_d).

(* Penrose's four equations: A is the pseudo-inverse of X. *)
Definition pseudo_inverse (k l : nat) (B : 'M[F]_(k, l)) (C : 'M[F]_(l, k)) :=
  [/\ B *m C *m B = B, C *m B *m C = C, (B *m C)^T = B *m C & (C *m B)^T = C *m B].

Hypothesis inverse : pseudo_inverse X A.

Lemma hat_projects : projects X^T (X *m A).
Proof.
case: inverse => XAX AXA symH symP; split=> //; first by rewrite mulmxA XAX.
apply/eqmxP/andP; split; first by rewrite -symH trmx_mul submxMl.
by rewrite -{1}XAX trmx_mul symH submxMl.
Qed.

(* The minimum-norm solution is A y. *)
Lemma fit_is_minimum_norm : minimum_norm X y (A *m y).
Proof.
case: inverse => XAX AXA symH symP; split.
  have same : X^T *m (X *m A) = X^T by rewrite -[in RHS]XAX [RHS]trmx_mul symH.
  by rewrite /least_squares mulmxBr [X *m _]mulmxA [X^T *m _]mulmxA same subrr.
by exists (A^T *m (A *m y)); rewrite !mulmxA -trmx_mul symP AXA.
Qed.

(* The matrix G of the second half is the pseudo-inverse of X X^T. *)
Lemma gram_inverse : pseudo_inverse (X *m X^T) (A^T *m A).
Proof.
case: inverse => XAX AXA symH symP.
have one : X *m X^T *m (A^T *m A) = X *m A.
  by rewrite !mulmxA -[X *m X^T *m A^T]mulmxA -trmx_mul symP mulmxA XAX.
have two : A^T *m A *m (X *m X^T) = X *m A.
  rewrite -[LHS]mulmxA [A *m _]mulmxA -symP trmx_mul !mulmxA -[A^T *m X^T]trmx_mul symH.
  by rewrite -[_ *m A^T *m X^T]mulmxA -[A^T *m X^T]trmx_mul symH mulmxA XAX.
rewrite /pseudo_inverse one two; split=> //; first by rewrite mulmxA XAX.
by rewrite mulmxA; have -> : X *m A *m A^T = A^T by rewrite -{1}symH -trmx_mul mulmxA AXA.
Qed.

(* thm-leave-one-out. Second half: a memorized row, of leverage 1; b is the minimum-norm solution of the other rows.
   Must fail: (G *m y) r 0 = G r r * ==> (G *m y) r 0 = *)
Theorem leave_memorized_out : (X *m A) r r = 1 -> minimum_norm (rest X) (rest y) b ->
  let G := A^T *m A in (G *m y) r 0 = G r r * (y r 0 - (X *m b) r 0) /\ G r r != 0.
Proof.
move=> one [normal [w rows]] G; have [XAX AXA symH symP] := inverse.
set u := A *m unit_at F r; set delta := y r 0 - (X *m b) r 0.
have Xu : X *m u = unit_at F r.
  by rewrite mulmxA; apply/(projects_fixes _ hat_projects)/(projects_diagonal _ hat_projects).
have restu : rest X *m u = 0 by rewrite -rest_mul Xu rest_unit.
have Grr : G r r = norm2 u by rewrite /norm2 {1}/u -{1}[A]trmxK dot_mul dot_unit mulmxA -colE [RHS]mxE.
have Gyr : (G *m y) r 0 = dot u (A *m y) by rewrite /u -{1}[A]trmxK dot_mul dot_unit mulmxA.
have fit : b + delta *: u = A *m y.
  apply: (minimum_norm_unique _ fit_is_minimum_norm); split.
    have at_r : (X *m (b + delta *: u)) r 0 = y r 0.
      by rewrite mulmxDr -scalemxAr Xu /delta; move: (X *m b) => v; rewrite !mxE !eqxx mulr1 addrC subrK.
    rewrite /least_squares split_row mxE [(- y) r 0]mxE at_r subrr scale0r add0r.
    suff -> : rest (X *m (b + delta *: u) - y) = rest X *m b - rest y by [].
    by rewrite linearB /= mulmxDr -scalemxAr Xu linearD linearZ /= rest_unit scaler0 addr0 rest_mul.
  apply: in_rows_D; last by apply: in_rows_Z; exists (A^T *m u); rewrite /u !mulmxA -trmx_mul symP AXA.
  rewrite rows; have -> : (rest X)^T *m w = X^T *m (\sum_q w q 0 *: unit_at F (lift r q)).
    rewrite mulmx_sumr; apply/colP=> i; rewrite summxE mxE; apply: eq_bigr => q _.
    by rewrite -scalemxAr -colE !mxE mulrC.
  by eexists.
have ub : dot u b = 0 by rewrite rows dotC dot_mul restu dotC dot0l.
have positive : G r r != 0.
  rewrite Grr norm2_eq0; apply/eqP=> zero; move: Xu; rewrite zero mulmx0 => /(congr1 (fun v : 'cV_n => v r 0)).
  by rewrite !mxE !eqxx => /eqP; rewrite eq_sym oner_eq0.
by split=> //; rewrite Gyr -fit dotDr ub add0r dotZr Grr mulrC.
Qed.

End Memorized.
End Leave_one_out.
