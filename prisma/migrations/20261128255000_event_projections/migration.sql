-- Whoever compares the tables with the log reads refunds and the inbox of unmatched money as well.
grant select on payment_refunds, unmatched_payments to tollhouse_auditor;
create policy payment_refunds_auditor_select on payment_refunds for select to tollhouse_auditor using (true);
create policy unmatched_payments_auditor_select on unmatched_payments for select to tollhouse_auditor using (true);
