/** What each mutation costs, its answer included; a transaction begins with its first statement and ends in a trip of its own. */
export const COSTS = `
  mutation                            statements  round trips
  createSignInChallenge                        2            2
  signInWithEthereum, the first time          12           12
  signInWithEthereum, again                    5            4
  signInWithEthereum, refused                  5            3
  signInWithEthereum, after failing            6            5
  refreshSession                               3            4
  createPaymentLink                            7            1
  createPaymentLink, keyed                     8            1
  createPaymentLink, keyed, again             10            3
  updatePaymentLink                            5            1
  updatePaymentLink, its prices                9            1
  activatePaymentLink                          6            7
  pausePaymentLink                             6            7
  archivePaymentLink                           6            7
  deletePaymentLink                            3            4
  createPaymentOrder                          10           10
  cancelPaymentOrder                           2            3
  cancelCheckoutOrder                          3            2
  acceptUnderpaid                              2            3
  claimPayment                                 3            4
  ignoreUnmatchedPayment                       2            3
  ignoreUnmatchedPayments                      2            3
  assignUnmatchedPayment                       2            3
  refundUnmatchedPayment                       2            3
  recordManualPayment                          3            4
  voidManualPayment                            2            3
  requestRefund                                3            4
  setRefundDestination                         2            3
  cancelRefund                                 2            3
  confirmRefundDestination                     4            3
  updateOrganization                           4            1
  updateOrganization, keyed                    5            1
  updateOrganizationSettings                   4            1
  updateStoreConfiguration                     4            1
  addDomain                                    4            1
  verifyDomain, again                          3            4
  setPrimaryDomain                             6            7
  removeDomain                                 4            5
  createRole                                   4            1
  updateRole                                   7            8
  deleteRole                                   5            6
  updateMembership                             6            7
  removeMember                                 6            7
  leaveOrganization                            1            1
  createOrganization                           2            1
  inviteMember                                11           10
  acceptInvitation                             2            2
  revokeInvitation                             4            5
  createApiKey                                 5            6
  updateApiKey                                 7            8
  confirmApiKey                                7            8
  revokeApiKey                                 6            7
  updateProfile                                4            1
  createWalletChallenge                        3            3
  linkWallet                                  10           10
  linkWallet, again                            9            9
  stepUp                                       5            5
  setPrimaryWallet                             8            9
  unlinkIdentity                               9           10
  createEmailCode                              3            2
  linkEmail                                    8            9
  linkEmail, again                             7            8
  signInWithThirdweb, the first time          18           18
  signInWithThirdweb, again                    5            4
  signInWithThirdweb, a payload               12           12
  signInWithThirdweb, a payload, again         5            4
  linkThirdwebProfile                         17           18
  linkThirdwebProfile, again                   9           10
  switchOrganization                           5            3
  endSession                                   2            1
  endSession, keyed                            3            1
  endOtherSessions                             5            2
  mergeUsers                                   2            2
  deleteUser                                   2            2
  deleteOrganization                           2            2
  restoreDeletedOrganization                   2            3
  signOut                                      1            1
  suspendOrganization                          4            5
  restoreOrganization                          5            6
  setSubscription                              4            5
  impersonate                                  2            2`;
