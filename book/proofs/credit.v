(* A feature seen once passes a wrong label on whole; two features that come together only share the credit. *)
From mathcomp Require Import all_ssreflect all_algebra.
From companion Require Import basics minimum_norm leave_one_out.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import Order.TTheory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Credit.
Variables (F : realFieldType) (n d : nat) (X : 'M[F]_(n, d)).

(* Labels without noise are fitted exactly by every least-squares solution. *)
Lemma noiseless_fits beta b : least_squares X (X *m beta) b -> X *m b = X *m beta.
Proof.
move=> normal; apply/eqP; rewrite -subr_eq0 -norm2_eq0 /norm2.
by rewrite -{2}mulmxBr -dot_mul normal dot0l.
Qed.

(* prop-mislabel. If feature i is resolved and only row r has it, a label of row r that is wrong by delta moves its coefficient by
   delta / x_ri.
   Must fail: delta / X r i ==> delta * X r i *)
Theorem wrong_label A y r i delta : pseudo_inverse X A -> in_rows X (unit_at F i) ->
  X r i != 0 -> (forall q, q != r -> X q i = 0) ->
  (A *m (y + delta *: unit_at F r)) i 0 = (A *m y) i 0 + delta / X r i.
Proof.
move=> inverse [w eq] has once; have proj := hat_projects inverse.
have fits : X *m A *m unit_at F r = unit_at F r.
  by apply/(projects_fixes _ proj)/(projects_diagonal _ proj)/(once_seen_is_memorized proj has once).
have wr : w r 0 = (X r i)^-1.
  apply: (mulfI has); rewrite mulfV //.
  have := congr1 (fun v : 'cV_d => v i 0) eq; rewrite !mxE !eqxx (bigD1 r) //= mxE big1 ?addr0 => [one|q ne].
    by rewrite -one.
  by rewrite mxE once ?mul0r.
rewrite mulmxDr -scalemxAr mxE [(delta *: (_ : 'cV_d)) i 0]mxE; congr (_ + delta * _).
by rewrite -[LHS]dot_unit eq dot_mul mulmxA fits dotC dot_unit.
Qed.

(* prop-mislabel. ... and moves no coefficient that the other rows resolve.
   Must fail: in_rows (row' r X) (unit_at F j) ==> in_rows X (unit_at F j) *)
Theorem wrong_label_stays A y r i j delta : pseudo_inverse X A -> in_rows (row' r X) (unit_at F j) ->
  X r i != 0 -> (forall q, q != r -> X q i = 0) ->
  (A *m (y + delta *: unit_at F r)) j 0 = (A *m y) j 0.
Proof.
move=> inverse [w eq] has once; have proj := hat_projects inverse.
have fits : X *m A *m unit_at F r = unit_at F r.
  by apply/(projects_fixes _ proj)/(projects_diagonal _ proj)/(once_seen_is_memorized proj has once).
rewrite mulmxDr -scalemxAr mxE [(delta *: (_ : 'cV_d)) j 0]mxE -[(A *m unit_at F r) j 0]dot_unit eq dot_mul -rest_mul mulmxA fits.
by rewrite rest_unit dotC dot0l mulr0 addr0.
Qed.

(* prop-inseparable. Features i and j come together only, always with the same sign product s, and the rest of row r is resolved: the
   minimum norm shares the credit.
   Must fail: (beta i 0 + s * beta j 0) / 2%:R ==> beta i 0 *)
Theorem shared_credit beta b r i j s :
  minimum_norm X (X *m beta) b -> i != j -> s * s = 1 -> (forall q, X q j = s * X q i) -> X r i != 0 ->
  (forall k, k != i -> k != j -> X r k != 0 -> in_rows X (unit_at F k)) ->
  b i 0 = s * b j 0 /\ b i 0 = (beta i 0 + s * beta j 0) / 2%:R.
Proof.
move=> [solved rows] ne ss tied has others; have fits := noiseless_fits solved.
have balance : b i 0 = s * b j 0.
  have null : X *m (unit_at F i - s *: unit_at F j) = 0.
    by rewrite mulmxBr -scalemxAr -!colE; apply/colP=> q; rewrite !mxE tied mulrA ss mul1r subrr.
  have [w eq] := rows; have : dot (unit_at F i - s *: unit_at F j) b = 0.
    by rewrite eq dotC dot_mul null dotC dot0l.
  by rewrite dotBl dotZl !dot_unit => /eqP; rewrite subr_eq0 => /eqP.
split=> //.
have total : b i 0 + s * b j 0 = beta i 0 + s * beta j 0.
  apply: (mulfI has).
  have := congr1 (fun v : 'cV_n => v r 0) fits; rewrite !mxE; have ji : j != i by rewrite eq_sym.
  rewrite (bigD1 i) //= (bigD1 j ji) /= [RHS](bigD1 i) //= [\sum_(k | k != i) X r k * beta k 0](bigD1 j ji) /= tied.
  have -> : \sum_(k | (k != i) && (k != j)) X r k * b k 0 = \sum_(k | (k != i) && (k != j)) X r k * beta k 0.
    apply: eq_bigr => k /andP[ki kj]; have [->|in_row] := eqVneq (X r k) 0; first by rewrite !mul0r.
    by have /(certificate X beta) -> := others k ki kj in_row.
  by rewrite !addrA => /addIr; rewrite !mulrDr !mulrA [s * _]mulrC.
by rewrite -total -balance -mulr2n -mulr_natr mulfK // pnatr_eq0.
Qed.

End Credit.

Section Ridge.
Variables (F : realFieldType) (n d : nat) (X : 'M[F]_(n, d)) (mu : F).
Hypothesis positive : 0 < mu.

(* The ridge solution with penalty mu = n lambda: (X^T X + mu) b = X^T y. *)
Definition ridge (y : 'cV_n) (b : 'cV_d) := X^T *m (X *m b) + mu *: b = X^T *m y.

(* prop-isolated. For ridge: a feature that is alone in each of its rows is shrunk by m / (m + mu), where m is the sum of squares of its
   column (for signs the number of its rows).
   Must fail: (forall r k, X r i != 0 -> k != i -> X r k = 0) -> ==> True -> *)
Theorem alone_shrinks beta b i : ridge (X *m beta) b -> (forall r k, X r i != 0 -> k != i -> X r k = 0) ->
  b i 0 = (\sum_r X r i ^+ 2) / ((\sum_r X r i ^+ 2) + mu) * beta i 0.
Proof.
move=> solved alone; set m := \sum_r X r i ^+ 2.
have column c : (X^T *m (X *m c)) i 0 = m * c i 0.
  rewrite mxE mulr_suml; apply: eq_bigr => r _; rewrite mxE.
  have [->|has] := eqVneq (X r i) 0; first by rewrite mul0r expr0n mul0r.
  rewrite mxE (bigD1 i) //= big1 ?addr0 ?mulrA // => k ne; by rewrite (alone r k) ?mul0r.
have := congr1 (fun v : 'cV_d => v i 0) solved; rewrite mxE [(mu *: b) i 0]mxE !column -mulrDl => total.
have nonzero : m + mu != 0.
  by rewrite lt0r_neq0 // ltr_paddl // sumr_ge0 // => r _; rewrite sqr_ge0.
by apply: (mulfI nonzero); rewrite total mulrA mulrCA mulfV // mulr1.
Qed.

End Ridge.
